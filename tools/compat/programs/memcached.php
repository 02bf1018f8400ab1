<?php
// PHP's memcached extension, which is libmemcached. Run as `php memcached.php PORT PREFIX [binary]`; prints what checks.py prints.

[, $port, $prefix] = $argv;
$binary = ($argv[3] ?? "") === "binary";

function connect($port, $binary) {
    $cache = new Memcached();
    $cache->setOption(Memcached::OPT_BINARY_PROTOCOL, $binary);
    $cache->setOption(Memcached::OPT_COMPRESSION, false);
    $cache->setOption(Memcached::OPT_TCP_NODELAY, true);
    $cache->setOption(Memcached::OPT_POLL_TIMEOUT, 5000);
    $cache->addServer("127.0.0.1", (int) $port);
    return $cache;
}

function same($found, $wanted, $what) {
    if ($found !== $wanted) {
        $show = fn($value) => substr(var_export($value, true), 0, 60);
        throw new Exception("$what: {$show($found)}, not {$show($wanted)}");
    }
}

function set_and_get($c, $k) {
    foreach (["one", "", "three"] as $value) {
        same($c->set($k, $value), true, "set");
        same($c->get($k), $value, "get");
    }
}

$checks = [
    "set and get" => fn($c, $k) => set_and_get($c, $k),
    "miss" => function ($c, $k) {
        same($c->get($k), false, "get");
        same($c->getResultCode(), Memcached::RES_NOTFOUND, "result code");
    },
    "get many" => function ($c, $k) {
        $wanted = $asked = [];
        for ($i = 0; $i < 100; $i++) {
            $asked[] = "$k$i";
            if ($i % 2) {
                $c->set("$k$i", "v$i");
                $wanted["$k$i"] = "v$i";
            }
        }
        $found = $c->getMulti($asked);
        ksort($found);
        ksort($wanted);
        same($found, $wanted, "half of a hundred keys");
        same($c->getMulti(["{$k}x", "{$k}y"]), [], "no hit");
    },
    "set many" => function ($c, $k) {
        $items = [];
        for ($i = 0; $i < 500; $i++) {
            $items["$k$i"] = "v$i";
        }
        same($c->setMulti($items), true, "set");
        same($c->get("{$k}499"), "v499", "get");
    },
    "delete many" => function ($c, $k) {
        $c->setMulti(["{$k}1" => "x", "{$k}2" => "x", "{$k}3" => "x"]);
        same($c->deleteMulti(["{$k}1", "{$k}2"]), ["{$k}1" => true, "{$k}2" => true], "delete");
        same($c->getMulti(["{$k}1", "{$k}2", "{$k}3"]), ["{$k}3" => "x"], "what is left");
    },
    "add and replace" => function ($c, $k) {
        same($c->replace($k, "nothing"), false, "replace what is not there");
        same($c->add($k, "first"), true, "add");
        same($c->add($k, "second"), false, "add what is there");
        same($c->getResultCode(), Memcached::RES_NOTSTORED, "result code");
        same($c->replace($k, "third"), true, "replace");
        same($c->get($k), "third", "get");
    },
    "append and prepend" => function ($c, $k) {
        same($c->append($k, "x"), false, "append to what is not there");
        $c->set($k, "b");
        same($c->append($k, "c"), true, "append");
        same($c->prepend($k, "a"), true, "prepend");
        same($c->get($k), "abc", "get");
    },
    "incr and decr" => function ($c, $k) {
        same($c->increment($k . "-not-there"), false, "incr what is not there");
        $c->set($k, "9");
        same($c->increment($k, 5), 14, "incr");
        same($c->decrement($k, 4), 10, "decr");
        same($c->decrement($k, 50), 0, "decr below 0");
    },
    "cas" => function ($c, $k) {
        $c->set($k, "one");
        $token = $c->get($k, null, Memcached::GET_EXTENDED)["cas"];
        same($c->cas($token, $k, "two"), true, "cas");
        same($c->cas($token, $k, "three"), false, "cas of an old value");
        same($c->getResultCode(), Memcached::RES_DATA_EXISTS, "result code");
        same($c->get($k), "two", "get");
    },
    "delete" => function ($c, $k) {
        $c->set($k, "x");
        same($c->delete($k), true, "delete");
        same($c->get($k), false, "get");
        same($c->delete($k), false, "delete what is not there");
    },
    "touch" => function ($c, $k) {
        $c->set($k, "x");
        same($c->touch($k, 100), true, "touch");
        same($c->get($k), "x", "get");
        same($c->touch($k . "-not-there", 100), false, "touch what is not there");
    },
    "noreply" => function ($c, $k) {
        $c->setOption(Memcached::OPT_NOREPLY, true);
        for ($i = 0; $i < 500; $i++) {
            $c->set($k . $i % 7, "v$i");
        }
        $c->setOption(Memcached::OPT_NOREPLY, false);
        for ($i = 493; $i < 500; $i++) {
            same($c->get($k . $i % 7), "v$i", "get");
        }
    },
    "objects" => function ($c, $k) {
        foreach (["text \u{20ac}", 12345, 2.5, true, ["list" => [1, 2.5, null], "long" => str_repeat("x", 5000)]] as $value) {
            same($c->set($k, $value), true, "set");
            same($c->get($k), $value, "get");
        }
    },
    "any bytes" => function ($c, $k) {
        $bytes = implode("", array_map("chr", range(0, 255))) . "\r\nEND\r\nVALUE x 0 1\r\n\0\xff";
        same($c->set($k, $bytes), true, "set");
        same($c->get($k), $bytes, "get");
    },
    "900 KB" => function ($c, $k) {
        $value = random_bytes(900000);
        same($c->set($k, $value), true, "set");
        same($c->get($k) === $value, true, "get returns it");
    },
    "value too large" => function ($c, $k) {
        same($c->set($k, random_bytes(3000000)), false, "set of 3 MB");
        set_and_get($c, $k);
    },
    "250-byte key" => function ($c, $k) {
        $k = str_pad($k, 250, "k");
        same($c->set($k, "long"), true, "set");
        same($c->get($k), "long", "get");
    },
    "key too long" => function ($c, $k) {
        same($c->set(str_pad($k, 251, "k"), "x"), false, "set");
        same($c->get(str_pad($k, 251, "k")), false, "get");
        set_and_get($c, $k);
    },
    "after an error" => function ($c, $k) {
        $c->set($k, "no number");
        for ($i = 0; $i < 3; $i++) {
            same($c->increment($k, 1), false, "incr of what is no number");
            same($c->get($k), "no number", "get");
        }
    },
    "expiry" => function ($c, $k) {
        $c->set($k, "short", 1);
        for ($end = microtime(true) + 5; $c->get($k) !== false; usleep(50000)) {
            same(microtime(true) < $end, true, "gone after 5 s");
        }
    },
    "version" => fn($c, $k) => same(preg_match("/^\d+\.\d+/", current($c->getVersion())), 1, "a version"),
    "stats" => fn($c, $k) => same(isset(current($c->getStats())["uptime"]), true, "uptime is there"),
    "pipelined" => function ($c, $k) {
        $c->setOption(Memcached::OPT_NO_BLOCK, true);
        $c->setOption(Memcached::OPT_BUFFER_WRITES, true);
        for ($i = 0; $i < 500; $i++) {
            $c->set("$k$i", "v$i");
        }
        same($c->flushBuffers(), true, "flush");
        $c->setOption(Memcached::OPT_BUFFER_WRITES, false);
        for ($i = 0; $i < 500; $i += 50) {
            same($c->get("$k$i"), "v$i", "get");
        }
    },
];

$cache = connect($port, $binary);
echo json_encode(["version" => phpversion("memcached")]) . "\n";
foreach ($checks as $name => $run) {
    $line = ["check" => $name, "passed" => true];
    try {
        $run($cache, $prefix . str_replace(" ", "-", $name));
    } catch (Throwable $error) {
        $line = ["check" => $name, "passed" => false, "what" => $error->getMessage()];
    }
    echo json_encode($line) . "\n";
}

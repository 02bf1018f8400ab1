// Java's spymemcached. Run as `java -cp JARS Spymemcached.java PORT PREFIX [binary]`; prints what checks.py prints.

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import net.spy.memcached.CASResponse;
import net.spy.memcached.CASValue;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.MemcachedClient;

public class Spymemcached {
    interface Check {
        void run(MemcachedClient c, String k) throws Exception;
    }

    static void same(Object found, Object wanted, String what) {
        if (found == null ? wanted != null : !found.equals(wanted)) {
            String text = String.valueOf(found);
            throw new AssertionError(what + ": " + text.substring(0, Math.min(60, text.length())) + ", not " + wanted);
        }
    }

    static <T> T wait(Future<T> future) throws Exception {
        return future.get(5, TimeUnit.SECONDS);
    }

    static boolean refused(Future<?> future) {
        try {
            Object done = wait(future);
            return done == null || done.equals(false) || done.equals(-1L);
        } catch (Exception error) {
            return true;
        }
    }

    static String padded(String key, int size) {
        return key + "k".repeat(size - key.length());
    }

    static void setAndGet(MemcachedClient c, String k) throws Exception {
        for (String value : List.of("one", "", "three")) {
            same(wait(c.set(k, 0, value)), true, "set");
            same(c.get(k), value, "get");
        }
    }

    static final Map<String, Check> CHECKS = new LinkedHashMap<>();

    static {
        CHECKS.put("set and get", Spymemcached::setAndGet);
        CHECKS.put("miss", (c, k) -> same(c.get(k), null, "get"));
        CHECKS.put("get many", (c, k) -> {
            List<String> names = new ArrayList<>();
            Map<String, Object> wanted = new HashMap<>();
            for (int i = 0; i < 100; i++) {
                names.add(k + i);
                if (i % 2 == 1) {
                    wanted.put(k + i, "v" + i);
                    wait(c.set(k + i, 0, "v" + i));
                }
            }
            same(c.getBulk(names), wanted, "half of a hundred keys");
        });
        CHECKS.put("add and replace", (c, k) -> {
            same(wait(c.replace(k, 0, "nothing")), false, "replace what is not there");
            same(wait(c.add(k, 0, "first")), true, "add");
            same(wait(c.add(k, 0, "second")), false, "add what is there");
            same(wait(c.replace(k, 0, "third")), true, "replace");
            same(c.get(k), "third", "get");
        });
        CHECKS.put("append and prepend", (c, k) -> {
            same(wait(c.append(k, "x")), false, "append to what is not there");
            wait(c.set(k, 0, "b"));
            same(wait(c.append(k, "c")), true, "append");
            same(wait(c.prepend(k, "a")), true, "prepend");
            same(c.get(k), "abc", "get");
        });
        CHECKS.put("incr and decr", (c, k) -> {
            same(c.incr(k, 1), -1L, "incr what is not there");
            wait(c.set(k, 0, "9"));
            same(c.incr(k, 5), 14L, "incr");
            same(c.decr(k, 4), 10L, "decr");
            same(c.decr(k, 50), 0L, "decr below 0");
        });
        CHECKS.put("cas", (c, k) -> {
            wait(c.set(k, 0, "one"));
            CASValue<Object> found = c.gets(k);
            same(found.getValue(), "one", "gets");
            same(c.cas(k, found.getCas(), "two"), CASResponse.OK, "cas");
            same(c.cas(k, found.getCas(), "three"), CASResponse.EXISTS, "cas of an old value");
            same(c.get(k), "two", "get");
        });
        CHECKS.put("delete", (c, k) -> {
            wait(c.set(k, 0, "x"));
            same(wait(c.delete(k)), true, "delete");
            same(c.get(k), null, "get");
            same(wait(c.delete(k)), false, "delete what is not there");
        });
        CHECKS.put("touch", (c, k) -> {
            wait(c.set(k, 0, "x"));
            same(wait(c.touch(k, 100)), true, "touch");
            same(c.get(k), "x", "get");
        });
        CHECKS.put("objects", (c, k) -> {
            for (Object value : List.of("text \u20ac", 12345, 2.5, true, List.of(1, "x".repeat(5000)))) {
                same(wait(c.set(k, 0, value)), true, "set");
                same(c.get(k), value, "get");
            }
        });
        CHECKS.put("any bytes", (c, k) -> {
            byte[] bytes = new byte[512];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) i;
            }
            System.arraycopy("\r\nEND\r\nVALUE x 0 1\r\n".getBytes(), 0, bytes, 256, 20);
            same(wait(c.set(k, 0, bytes)), true, "set");
            same(Arrays.equals((byte[]) c.get(k), bytes), true, "get returns it");
        });
        CHECKS.put("900 KB", (c, k) -> {
            byte[] bytes = new byte[900000];
            new Random().nextBytes(bytes);
            same(wait(c.set(k, 0, bytes)), true, "set");
            same(Arrays.equals((byte[]) c.get(k), bytes), true, "get returns it");
        });
        CHECKS.put("250-byte key", (c, k) -> setAndGet(c, padded(k, 250)));
        CHECKS.put("key too long", (c, k) -> {
            try {
                c.get(padded(k, 251));
                same("done", "refused", "get");
            } catch (IllegalArgumentException error) {
                setAndGet(c, k);
            }
        });
        CHECKS.put("after an error", (c, k) -> {
            wait(c.set(k, 0, "no number"));
            for (int i = 0; i < 3; i++) {
                same(refused(c.asyncIncr(k, 1)), true, "incr of what is no number is refused");
                same(c.get(k), "no number", "get");
            }
        });
        CHECKS.put("expiry", (c, k) -> {
            wait(c.set(k, 1, "short"));
            for (long end = System.currentTimeMillis() + 5000; c.get(k) != null; Thread.sleep(50)) {
                same(System.currentTimeMillis() < end, true, "gone after 5 s");
            }
        });
        CHECKS.put("pipelined", (c, k) -> {
            List<Future<?>> sets = new ArrayList<>();
            List<Future<Object>> gets = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                sets.add(c.set(k + i, 0, "v" + i));
            }
            for (int i = 0; i < 500; i++) {
                gets.add(c.asyncGet(k + i));
            }
            for (int i = 0; i < 500; i++) {
                same(wait(sets.get(i)), true, "set");
                same(wait(gets.get(i)), "v" + i, "get");
            }
        });
        CHECKS.put("version", (c, k) -> {
            String version = c.getVersions().values().iterator().next();
            same(version.matches("\\d+\\.\\d+.*"), true, "a version");
        });
        CHECKS.put("stats", (c, k) -> {
            same(c.getStats().values().iterator().next().containsKey("uptime"), true, "uptime is there");
        });
    }

    static String quoted(String text) {
        return '"' + text.replaceAll("[^\\x20-\\x7e]", "?").replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    public static void main(String[] args) throws Exception {
        System.setProperty("net.spy.log.LoggerImpl", "net.spy.memcached.compat.log.SunLogger");
        Logger.getLogger("net.spy.memcached").setLevel(Level.OFF);
        boolean binary = args.length > 2 && args[2].equals("binary");
        ConnectionFactoryBuilder builder = new ConnectionFactoryBuilder().setOpTimeout(binary ? 1000 : 5000)
            .setProtocol(binary ? ConnectionFactoryBuilder.Protocol.BINARY : ConnectionFactoryBuilder.Protocol.TEXT);
        InetSocketAddress server = new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0]));
        MemcachedClient client = new MemcachedClient(builder.build(), List.of(server));
        for (Map.Entry<String, Check> row : CHECKS.entrySet()) {
            String line = "{\"check\": " + quoted(row.getKey());
            try {
                row.getValue().run(client, args[1] + row.getKey().replace(' ', '-'));
                line += ", \"passed\": true}";
            } catch (Throwable error) {
                line += ", \"passed\": false, \"what\": " + quoted(String.valueOf(error)) + "}";
            }
            System.out.println(line);
        }
        System.exit(0);
    }
}

// Node.js clients. Run as `node node_clients.js PORT PREFIX MODULE`, with node_modules in the current folder; prints what
// checks.py prints. ADAPTERS give each client the same methods; what it cannot do, its adapter leaves out.
"use strict";
const assert = require("node:assert");
const { createRequire } = require("node:module");
const { promisify } = require("node:util");
const { randomBytes } = require("node:crypto");

const [port, prefix, name] = process.argv.slice(2);
const load = createRequire(process.cwd() + "/");
const server = `127.0.0.1:${port}`;

function memcached() {
  const Memcached = load("memcached");
  const client = new Memcached(server, { timeout: 5000, retries: 0, failures: 1000, retry: 1, poolSize: 1 });
  const ask = (method, ...args) => promisify(client[method]).apply(client, args);
  return {
    set: (key, value, expire = 0) => ask("set", key, value, expire),
    get: (key) => ask("get", key),
    getMany: (keys) => ask("getMulti", keys),
    add: (key, value) => ask("add", key, value, 0),
    replace: (key, value) => ask("replace", key, value, 0),
    append: (key, value) => ask("append", key, value),
    prepend: (key, value) => ask("prepend", key, value),
    incr: (key, delta) => ask("incr", key, delta),
    decr: (key, delta) => ask("decr", key, delta),
    gets: async (key) => { const found = await ask("gets", key); return [found[key], found.cas]; },
    cas: (key, value, token) => ask("cas", key, value, token, 0),
    delete: (key) => ask("del", key),
    touch: (key, expire) => ask("touch", key, expire),
    version: async () => (await ask("version"))[0].version,
    stats: async () => (await ask("stats"))[0],
    setObject: (key, value) => ask("set", key, value, 0),
    getObject: (key) => ask("get", key),
    close: () => client.end(),
  };
}

function memcacheClient() {
  const { MemcacheClient } = load("memcache-client");
  const client = new MemcacheClient({ server, lifetime: 0 });
  const number = async (answer) => Number(await answer);
  return {
    set: (key, value, lifetime = 0) => client.set(key, value, { lifetime }),
    get: async (key) => (await client.get(key))?.value,
    getMany: async (keys) => Object.fromEntries(Object.entries(await client.get(keys)).map(([key, item]) => [key, item.value])),
    add: (key, value) => client.add(key, value),
    replace: (key, value) => client.replace(key, value),
    append: (key, value) => client.append(key, value),
    prepend: (key, value) => client.prepend(key, value),
    incr: (key, delta) => number(client.incr(key, delta)),
    decr: (key, delta) => number(client.decr(key, delta)),
    gets: async (key) => { const item = await client.gets(key); return [item.value, item.casUniq]; },
    cas: (key, value, casUniq) => client.cas(key, value, { casUniq }),
    delete: (key) => client.delete(key),
    touch: (key, expire) => client.touch(key, expire),
    setQuietly: (key, value) => client.set(key, value, { noreply: true }),
    version: async () => [].concat(await client.version()).flat().join(" ").replace("VERSION ", ""),
    stats: async () => Object.fromEntries((await client.cmd("stats")).STAT),
    setObject: (key, value) => client.set(key, value),
    getObject: async (key) => (await client.get(key)).value,
    close: () => client.shutdown(),
  };
}

function memjs() {
  const client = load("memjs").Client.create(server, { retries: 0, timeout: 0.5, conntimeout: 0.5, failover: false });
  const text = (found) => found.value === null ? undefined : found.value;
  return {
    set: (key, value, expires = 0) => client.set(key, value, { expires }),
    get: async (key) => text(await client.get(key))?.toString("latin1"),
    add: (key, value) => client.add(key, value, {}),
    replace: (key, value) => client.replace(key, value, {}),
    delete: (key) => client.delete(key),
    touch: (key, expire) => client.touch(key, expire),
    close: () => client.close(),
  };
}

const ADAPTERS = { memcached, "memcache-client": memcacheClient, memjs };

async function refused(what, doing) {
  let found;
  try { found = await doing; } catch { return; }
  assert(!found || found === "NOT_STORED", `${what}: done, ${JSON.stringify(found)}`);
}

async function setAndGet(c, k) {
  for (const value of ["one", "", "three"]) {
    await c.set(k, value);
    assert.equal(await c.get(k), value);
  }
}

// name, the methods it needs, what it does
const CHECKS = [
  ["set and get", [], setAndGet],
  ["miss", [], async (c, k) => assert(await c.get(k) === undefined)],
  ["get many", ["getMany"], async (c, k) => {
    const names = Array.from({ length: 100 }, (_, i) => k + i);
    const wanted = Object.fromEntries(names.filter((_, i) => i % 2).map((key) => [key, "v" + key]));
    for (const key in wanted) await c.set(key, wanted[key]);
    assert.deepEqual({ ...await c.getMany(names) }, wanted);
    assert.deepEqual({ ...await c.getMany([k + "x", k + "y"]) }, {});
  }],
  ["add and replace", ["add"], async (c, k) => {
    await refused("replace what is not there", c.replace(k, "nothing"));
    await c.add(k, "first");
    await refused("add what is there", c.add(k, "second"));
    assert.equal(await c.get(k), "first");
    await c.replace(k, "third");
    assert.equal(await c.get(k), "third");
  }],
  ["append and prepend", ["append"], async (c, k) => {
    await refused("append to what is not there", c.append(k, "x"));
    await c.set(k, "b");
    await c.append(k, "c");
    await c.prepend(k, "a");
    assert.equal(await c.get(k), "abc");
  }],
  ["incr and decr", ["incr"], async (c, k) => {
    await refused("incr what is not there", c.incr(k, 1));
    await c.set(k, "9");
    assert.equal(await c.incr(k, 5), 14);
    assert.equal(await c.decr(k, 4), 10);
    assert.equal(await c.decr(k, 50), 0);
  }],
  ["cas", ["gets"], async (c, k) => {
    await c.set(k, "one");
    const [value, token] = await c.gets(k);
    assert.equal(value, "one");
    await c.cas(k, "two", token);
    await refused("cas of an old value", c.cas(k, "three", token));
    assert.equal(await c.get(k), "two");
  }],
  ["delete", [], async (c, k) => {
    await c.set(k, "x");
    await c.delete(k);
    assert(await c.get(k) === undefined);
    await refused("delete what is not there", c.delete(k));
  }],
  ["touch", ["touch"], async (c, k) => {
    await c.set(k, "x");
    await c.touch(k, 100);
    assert.equal(await c.get(k), "x");
    await refused("touch what is not there", c.touch(k + "-not-there", 100));
  }],
  ["noreply", ["setQuietly"], async (c, k) => {
    for (let i = 0; i < 500; i++) c.setQuietly(k + i % 7, "v" + i);
    for (let i = 493; i < 500; i++) assert.equal(await c.get(k + i % 7), "v" + i);
  }],
  ["objects", ["setObject"], async (c, k) => {
    for (const value of ["text \u20ac", 12345, { list: [1, 2.5, null, true], long: "x".repeat(5000) }]) {
      await c.setObject(k, value);
      assert.deepEqual(await c.getObject(k), value);
    }
  }],
  ["any bytes", [], async (c, k) => {
    const bytes = Buffer.concat([Buffer.from([...Array(256).keys()]), Buffer.from("\r\nEND\r\nVALUE x 0 1\r\n\0\xff", "latin1")]);
    await c.set(k, bytes);
    assert.equal(Buffer.from(await c.get(k), "latin1").toString("hex"), bytes.toString("hex"));
  }],
  ["900 KB", [], async (c, k) => {
    const text = randomBytes(450000).toString("hex");
    await c.set(k, text);
    assert(await c.get(k) === text, "get returns something else");
  }],
  ["value too large", [], async (c, k) => {
    await refused("set of 3 MB", c.set(k, randomBytes(1500000).toString("hex")));
    await setAndGet(c, k);
  }],
  ["250-byte key", [], (c, k) => setAndGet(c, k.padEnd(250, "k"))],
  ["key too long", [], async (c, k) => {
    await refused("set", c.set(k.padEnd(251, "k"), "x"));
    await refused("get", c.get(k.padEnd(251, "k")));
    await setAndGet(c, k);
  }],
  ["after an error", ["incr"], async (c, k) => {
    await c.set(k, "no number");
    for (let i = 0; i < 3; i++) {
      await refused("incr of what is no number", c.incr(k, 1));
      assert.equal(await c.get(k), "no number");
    }
  }],
  ["expiry", [], async (c, k) => {
    await c.set(k, "short", 1);
    const end = Date.now() + 5000;
    while (await c.get(k) !== undefined) {
      assert(Date.now() < end, "still there after 5 s");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }],
  ["pipelined", [], async (c, k) => {
    const numbers = [...Array(500).keys()];
    await Promise.all(numbers.map((i) => c.set(k + i, "v" + i)));
    assert.deepEqual(await Promise.all(numbers.map((i) => c.get(k + i))), numbers.map((i) => "v" + i));
  }],
  ["version", ["version"], async (c) => assert.match(await c.version(), /^\d+\.\d+/)],
  ["stats", ["stats"], async (c) => assert("uptime" in await c.stats())],
];

function inTime(doing) {
  const late = new Promise((_, reject) => setTimeout(reject, 10000, new Error("no answer in 10 s")).unref());
  return Promise.race([doing, late]);
}

async function main() {
  const cache = ADAPTERS[name]();
  console.log(JSON.stringify({ version: load(`${name}/package.json`).version }));
  for (const [check, needs, run] of CHECKS) {
    if (!needs.every((method) => method in cache)) continue;
    const line = { check, passed: true };
    try {
      await inTime(run(cache, prefix + check.replaceAll(" ", "-")));
    } catch (error) {
      Object.assign(line, { passed: false, what: String(error?.message ?? error).slice(0, 200) });
    }
    console.log(JSON.stringify(line));
  }
  cache.close();
  process.exit(0);
}

main();

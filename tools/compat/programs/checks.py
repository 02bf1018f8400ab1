"""What every Python client is put through: the checks, and the adapter that a client's program fills in.

A program is run as `PROGRAM PORT PREFIX [VARIANT]`, keeps to keys that begin with PREFIX, and prints JSON lines: the
client's version, then one line a check. The programs in other languages print the same, with the same names of checks.
"""

import json
import os
import sys
import threading
import time
from functools import partial
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

PATIENCE = 5.0  # seconds that anything may take
BYTES = bytes(range(256)) + b"\r\nEND\r\nVALUE x 0 1\r\n" + b"\x00\xff"
THREADS, TURNS = 8, 50
MANY = 500


class Cache:
    """A client with one server, under the names that the checks use; what it cannot do, a program leaves out.

    Keys are str, values bytes. A method that writes returns whether the server did it. An error is raised or False.
    """

    version: str

    def set(self, key: str, value: bytes, expire: int = 0) -> bool:
        """Stores; `expire` in seconds."""
        raise NotImplementedError

    def get(self, key: str) -> Optional[bytes]:
        """The value, or None."""
        raise NotImplementedError

    get_many: Callable[[List[str]], Dict[str, bytes]]
    set_many: Callable[[Dict[str, bytes]], bool]
    delete_many: Callable[[List[str]], bool]
    add: Callable[[str, bytes], bool]
    replace: Callable[[str, bytes], bool]
    append: Callable[[str, bytes], bool]
    prepend: Callable[[str, bytes], bool]
    incr: Callable[[str, int], Optional[int]]
    decr: Callable[[str, int], Optional[int]]
    gets: Callable[[str], Tuple[Optional[bytes], Any]]
    cas: Callable[[str, bytes, Any], bool]
    delete: Callable[[str], bool]
    touch: Callable[[str, int], bool]
    get_and_touch: Callable[[str, int], Optional[bytes]]
    set_quietly: Callable[[str, bytes], Any]  # noreply
    set_object: Callable[[str, Any], bool]
    get_object: Callable[[str], Any]
    server_version: Callable[[], str]
    stats: Callable[[], Dict[str, str]]

    def close(self) -> None:
        """Ends its connection."""


class Check(NamedTuple):
    """One row: its name, the methods that it takes, and what it does with a cache and a key of its own."""

    name: str
    needs: Tuple[str, ...]
    run: Callable[[Cache, str], None]


CHECKS: List[Check] = []


def check(name: str, *needs: str) -> Callable[[Callable[[Cache, str], None]], Callable[[Cache, str], None]]:
    """Makes a function a row of CHECKS."""

    def register(run: Callable[[Cache, str], None]) -> Callable[[Cache, str], None]:
        CHECKS.append(Check(name, needs, run))
        return run

    return register


def same(found: Any, wanted: Any, what: str) -> None:
    """Raises AssertionError where they differ."""
    if found != wanted:
        raise AssertionError(f"{what}: {_short(found)}, not {_short(wanted)}")


def refused(do: Callable[[], Any], what: str) -> None:
    """Raises AssertionError unless `do` raises an error or says that nothing was done."""
    try:
        found = do()
    except Exception:  # each client has errors of its own
        return
    if found:
        raise AssertionError(f"{what}: done, {_short(found)}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}... ({len(text)} characters)"


@check("set and get")
def _set_and_get(cache: Cache, key: str) -> None:
    for value in (b"one", b"", b"three"):
        same(bool(cache.set(key, value)), True, "set")
        same(cache.get(key), value, "get")


@check("miss")
def _miss(cache: Cache, key: str) -> None:
    same(cache.get(key), None, "get")


@check("get many", "get_many")
def _get_many(cache: Cache, key: str) -> None:
    wanted = {f"{key}{number}": b"v%d" % number for number in range(0, 100, 2)}
    for name, value in wanted.items():
        cache.set(name, value)
    same(cache.get_many([f"{key}{number}" for number in range(100)]), wanted, "half of a hundred keys")
    same(cache.get_many([f"{key}x", f"{key}y"]), {}, "no hit")


@check("set many", "set_many")
def _set_many(cache: Cache, key: str) -> None:
    wanted = {f"{key}{number}": b"v%d" % number for number in range(MANY)}
    same(bool(cache.set_many(wanted)), True, "set")
    for name in list(wanted)[::50]:
        same(cache.get(name), wanted[name], name)


@check("delete many", "delete_many")
def _delete_many(cache: Cache, key: str) -> None:
    names = [f"{key}{number}" for number in range(50)]
    for name in names:
        cache.set(name, b"x")
    cache.delete_many(names[:-1])
    same([name for name in names if cache.get(name) is not None], names[-1:], "what is left")


@check("add and replace", "add", "replace")
def _add_and_replace(cache: Cache, key: str) -> None:
    refused(lambda: cache.replace(key, b"nothing"), "replace what is not there")
    same(bool(cache.add(key, b"first")), True, "add")
    refused(lambda: cache.add(key, b"second"), "add what is there")
    same(cache.get(key), b"first", "get")
    same(bool(cache.replace(key, b"third")), True, "replace")
    same(cache.get(key), b"third", "get")


@check("append and prepend", "append", "prepend")
def _append_and_prepend(cache: Cache, key: str) -> None:
    refused(lambda: cache.append(key, b"x"), "append to what is not there")
    cache.set(key, b"b")
    same(bool(cache.append(key, b"c")), True, "append")
    same(bool(cache.prepend(key, b"a")), True, "prepend")
    same(cache.get(key), b"abc", "get")


@check("incr and decr", "incr", "decr")
def _incr_and_decr(cache: Cache, key: str) -> None:
    refused(lambda: cache.incr(key, 1), "incr what is not there")
    cache.set(key, b"9")
    same(cache.incr(key, 5), 14, "incr")
    same(cache.decr(key, 4), 10, "decr")
    same(cache.decr(key, 50), 0, "decr below 0")


@check("cas", "gets", "cas")
def _cas(cache: Cache, key: str) -> None:
    cache.set(key, b"one")
    value, token = cache.gets(key)
    same(value, b"one", "gets")
    same(bool(cache.cas(key, b"two", token)), True, "cas")
    refused(lambda: cache.cas(key, b"three", token), "cas of an old value")
    same(cache.gets(key)[0], b"two", "gets")


@check("delete", "delete")
def _delete(cache: Cache, key: str) -> None:
    cache.set(key, b"x")
    cache.delete(key)
    same(cache.get(key), None, "get")
    cache.delete(key)  # what a client says of a miss differs


@check("touch", "touch")
def _touch(cache: Cache, key: str) -> None:
    cache.set(key, b"x")
    same(bool(cache.touch(key, 100)), True, "touch")
    same(cache.get(key), b"x", "get")
    refused(lambda: cache.touch(key + "-not-there", 100), "touch what is not there")


@check("get and touch", "get_and_touch")
def _get_and_touch(cache: Cache, key: str) -> None:
    cache.set(key, b"x")
    same(cache.get_and_touch(key, 100), b"x", "hit")
    same(cache.get_and_touch(key + "-not-there", 100), None, "miss")


@check("noreply", "set_quietly")
def _noreply(cache: Cache, key: str) -> None:
    for number in range(MANY):
        cache.set_quietly(f"{key}{number % 7}", b"v%d" % number)
    for number in range(MANY - 7, MANY):
        same(cache.get(f"{key}{number % 7}"), b"v%d" % number, "get")


@check("objects", "set_object", "get_object")
def _objects(cache: Cache, key: str) -> None:
    for number, value in enumerate(("text \u20ac", 12345, {"list": [1, 2.5, None, True], "long": "x" * 5000})):
        same(bool(cache.set_object(f"{key}{number}", value)), True, "set")
        same(cache.get_object(f"{key}{number}"), value, "get")


@check("any bytes")
def _any_bytes(cache: Cache, key: str) -> None:
    same(bool(cache.set(key, BYTES)), True, "set")
    same(cache.get(key), BYTES, "get")


@check("900 KB")
def _large(cache: Cache, key: str) -> None:
    value = os.urandom(900_000)  # which no client can compress
    same(bool(cache.set(key, value)), True, "set")
    same(cache.get(key) == value, True, "get returns it")


@check("value too large")
def _too_large(cache: Cache, key: str) -> None:
    refused(lambda: cache.set(key, os.urandom(3_000_000)), "set of 3 MB")
    same(cache.get(key), None, "get")
    _set_and_get(cache, key)


@check("250-byte key")
def _long_key(cache: Cache, key: str) -> None:
    key = key.ljust(250, "k")
    same(bool(cache.set(key, b"long")), True, "set")
    same(cache.get(key), b"long", "get")


@check("key too long")
def _key_too_long(cache: Cache, key: str) -> None:
    for ask in (lambda name: cache.set(name, b"x"), cache.get):
        try:
            ask(key.ljust(251, "k"))  # a client may make it shorter, or refuse it before the server does
        except Exception:
            pass
        _set_and_get(cache, key)


@check("after an error", "incr")
def _after_an_error(cache: Cache, key: str) -> None:
    cache.set(key, b"no number")
    for _ in range(3):
        refused(lambda: cache.incr(key, 1), "incr of what is no number")
        same(cache.get(key), b"no number", "get")


@check("expiry")
def _expiry(cache: Cache, key: str) -> None:
    cache.set(key, b"short", 1)
    end = time.monotonic() + PATIENCE
    while cache.get(key) is not None:
        if time.monotonic() > end:
            raise AssertionError(f"still there after {PATIENCE:g} s")
        time.sleep(0.05)


@check("version", "server_version")
def _version(cache: Cache, _key: str) -> None:
    same(cache.server_version()[:1].isdigit(), True, "the version begins with a number")


@check("stats", "stats")
def _stats(cache: Cache, _key: str) -> None:
    same({"pid", "uptime"} - set(cache.stats()), set(), "what is missing")


def _threads(connect: Callable[[], Cache], key: str) -> None:
    faults: List[str] = []

    def run(number: int) -> None:
        try:
            cache = connect()
            for turn in range(TURNS):
                cache.set(f"{key}{number}-{turn}", b"%d-%d" % (number, turn))
                same(cache.get(f"{key}{number}-{turn}"), b"%d-%d" % (number, turn), f"thread {number}")
            cache.close()
        except Exception as error:  # whatever it is, it is a finding
            faults.append(repr(error))

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * PATIENCE)
    same(faults, [], "faults")
    same([thread for thread in threads if thread.is_alive()], [], "threads that still wait")


def say_version(version: str) -> None:
    """The first line that a program prints."""
    print(json.dumps({"version": version}), flush=True)


def judge(name: str, run: Callable[[], None]) -> None:
    """Runs a check and prints its line."""
    line: Dict[str, Any] = {"check": name, "passed": True}
    try:
        run()
    except Exception as error:  # each client has errors of its own
        text = str(error) if isinstance(error, AssertionError) else repr(error)
        line.update(passed=False, what=text)
    print(json.dumps(line), flush=True)


def main(connect: Callable[[int, str], Cache]) -> None:
    """Runs all checks that the client can do. `connect` makes a cache of a port and the variant (or "")."""
    port, prefix, variant = int(sys.argv[1]), sys.argv[2], (sys.argv[3:] or [""])[0]
    cache = connect(port, variant)
    say_version(cache.version)
    for row in CHECKS:
        if all(hasattr(cache, name) for name in row.needs):
            judge(row.name, partial(row.run, cache, prefix + row.name.replace(" ", "-")))
    judge("threads", partial(_threads, partial(connect, port, variant), f"{prefix}threads"))
    cache.close()

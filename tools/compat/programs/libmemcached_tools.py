"""libmemcached's command line tools. Run as `libmemcached_tools.py PORT PREFIX`; prints what checks.py prints.

The project calls them memcp and memcapable, Debian memccp and memccapable. The latter has checks of its own, each a row
here but for those of flush_all: which hosts that goes to is the policy's choice.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Callable, Dict, List

from checks import BYTES, PATIENCE, judge, say_version

_CAPABLE = """version; quit; verbosity; set; set noreply; get; gets; mget; add; add noreply; replace; replace noreply;
cas; cas noreply; delete; delete noreply; incr; incr noreply; decr; decr noreply; append; append noreply; prepend;
prepend noreply; stat"""


def _tool(name: str) -> str:
    return shutil.which(f"memc{name}") or shutil.which(f"mem{name}") or f"memc{name}"


class Tools:
    """The tools for one server, with files in a folder."""

    def __init__(self, port: str, folder: Path) -> None:
        self._port = port
        self._folder = folder

    def run(self, name: str, *args: str) -> bytes:
        """What it prints; raises AssertionError where its exit code is not 0."""
        return self._run(_tool(name), f"--servers=127.0.0.1:{self._port}", *args)

    def fails(self, name: str, *args: str) -> None:
        """Raises AssertionError if it succeeds."""
        try:
            self.run(name, *args)
        except AssertionError:
            return
        raise AssertionError(f"{name} succeeds")

    def copy(self, key: str, value: bytes, *args: str) -> None:
        """Stores with memcp, whose files are named like their keys."""
        path = self._folder / key
        path.write_bytes(value)
        self.run("cp", *args, str(path))

    def value(self, key: str) -> bytes:
        """A value as memcat writes it to a file."""
        path = self._folder / "value"
        self.run("cat", f"--file={path}", key)
        return path.read_bytes()

    def capable(self, test: str) -> None:
        """One test of memcapable."""
        printed = self._run(_tool("capable"), "-h", "127.0.0.1", "-p", self._port, "-t", "5", "-T", f"ascii {test}")
        assert b"[pass]" in printed, printed.decode(errors="replace").strip()

    def _run(self, *words: str) -> bytes:
        done = subprocess.run(words, capture_output=True, timeout=2 * PATIENCE)
        text = (done.stderr or done.stdout)[:200].decode(errors="replace").strip()
        assert done.returncode == 0, f"{os.path.basename(words[0])} ends with {done.returncode}: {text}"
        return done.stdout


def _same(found: object, wanted: object) -> None:
    assert found == wanted, f"{str(found)[:60]}, not {str(wanted)[:60]}"


def _set_and_get(tools: Tools, key: str) -> None:
    for value in (b"one", b"three"):
        tools.copy(key, value)
        _same(tools.run("cat", key), value + b"\n")


def _get_many(tools: Tools, key: str) -> None:
    for number in range(10):
        tools.copy(f"{key}{number}", b"v%d" % number)
    found = tools.run("cat", *(f"{key}{number}" for number in range(10)))
    _same(found.split(), [b"v%d" % number for number in range(10)])


def _add_and_replace(tools: Tools, key: str) -> None:
    tools.fails("cp", "--replace", __file__)  # a key that is not there
    tools.copy(key, b"first", "--add")
    try:
        tools.copy(key, b"second", "--add")
    except AssertionError:
        pass
    _same(tools.value(key), b"first")
    tools.copy(key, b"third", "--replace")
    _same(tools.value(key), b"third")


def _delete(tools: Tools, key: str) -> None:
    tools.copy(key, b"x")
    tools.run("exist", key)
    tools.run("rm", key)
    tools.fails("exist", key)


def _touch(tools: Tools, key: str) -> None:
    tools.copy(key, b"x")
    tools.run("touch", "--expire=100", key)
    tools.fails("touch", "--expire=100", f"{key}-not-there")


def _whole(value: bytes) -> Callable[[Tools, str], None]:
    def check(tools: Tools, key: str) -> None:
        tools.copy(key, value)
        assert tools.value(key) == value, "memcat gives something else"

    return check


def _expiry(tools: Tools, key: str) -> None:
    tools.copy(key, b"short", "--expire=1")
    end = time.monotonic() + PATIENCE
    while True:
        try:
            tools.run("exist", key)
        except AssertionError:
            return
        assert time.monotonic() < end, "still there"
        time.sleep(0.05)


def _long_key(tools: Tools, key: str) -> None:
    _set_and_get(tools, key.ljust(250, "k"))


def _buffered(tools: Tools, key: str) -> None:
    tools.copy(key, b"x", "--buffer", "--non-blocking", "--tcp-nodelay")
    _same(tools.value(key), b"x")


def _load(tools: Tools, _key: str) -> None:
    for test in ("set", "get"):
        tools.run("slap", "--concurrency=4", "--execute-number=500", f"--test={test}")


def _version(tools: Tools, _key: str) -> None:
    tools.run("ping")


def _stats(tools: Tools, _key: str) -> None:
    assert b"uptime" in tools.run("stat"), "no uptime"


CHECKS: Dict[str, Callable[[Tools, str], None]] = {
    "set and get": _set_and_get,
    "miss": lambda tools, key: tools.fails("cat", key),
    "get many": _get_many,
    "add and replace": _add_and_replace,
    "delete": _delete,
    "touch": _touch,
    "any bytes": _whole(BYTES),
    "900 KB": _whole(os.urandom(900_000)),
    "250-byte key": _long_key,
    "expiry": _expiry,
    "pipelined": _buffered,
    "threads": _load,
    "version": _version,
    "stats": _stats,
}


def main(argv: List[str]) -> None:
    """Runs all checks."""
    port, prefix = argv
    with tempfile.TemporaryDirectory() as folder:
        tools = Tools(port, Path(folder))
        say_version(tools.run("cat", "--version").split(b"libmemcached v")[1].split(b")")[0].decode())
        for name, run in CHECKS.items():
            judge(name, partial(run, tools, prefix + name.replace(" ", "-")))
        for test in " ".join(_CAPABLE.split()).split("; "):
            judge(f"memcapable: {test}", partial(tools.capable, test))


main(sys.argv[1:])

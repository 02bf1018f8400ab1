"""The commands of a demo: they stop, start, hang, slow and heal hosts, and say what to expect next."""

import os
import select
import signal
import sys
import threading
import time
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

from ..settings import Settings, invalid_value, whole
from ..testing import DemoHost

_SLOW_MS = 300
_SLOW_MOST = 60_000  # ms
_BACKGROUND_PAUSE = 0.5  # seconds between tries to read a terminal that belongs to another program
_COUNTED = ("cmd_get", "cmd_set", "cmd_touch", "cmd_meta", "delete_hits", "delete_misses", "incr_hits", "incr_misses",
            "decr_hits", "decr_misses", "cmd_flush")  # fmt: skip


class ConsoleCommand(NamedTuple):
    """A row of the table of commands."""

    name: str
    arguments: str
    help: str

    @property
    def usage(self) -> str:
        """The command with its arguments."""
        return f"{self.name} {self.arguments}".rstrip()


COMMANDS = (
    ConsoleCommand("stop", "N", "stop host N"),
    ConsoleCommand("start", "N", "start it again, empty"),
    ConsoleCommand("hang", "N", "it accepts, answers nothing"),
    ConsoleCommand("slow", "N [MS]", "it waits before each answer"),
    ConsoleCommand("heal", "N", "it behaves again"),
    ConsoleCommand("hosts", "", "show all hosts"),
    ConsoleCommand("help", "", "show this list"),
    ConsoleCommand("quit", "", "end the demo; so does ^C"),
)


class Mistake(Exception):
    """Raised for an invalid command; the message says what would be right."""


class Console:
    """Runs commands: `run` takes a line and returns the lines to show. `quit` is called to end the demo."""

    def __init__(self, hosts: Sequence[DemoHost], settings: Settings, quit: Callable[[], None]) -> None:
        self._hosts = hosts
        self._settings = settings
        self._quit = quit
        self._hosts_commands: Dict[str, Callable[[int, DemoHost], List[str]]] = {
            "stop": self._stop, "start": self._start, "hang": self._hang, "heal": self._heal,
        }  # fmt: skip

    def run(self, line: str) -> List[str]:
        """Runs the command in a line; returns the lines to show."""
        words = line.split()
        if not words:
            return []
        try:
            return self._run(words[0].lower(), words[1:])
        except Mistake as mistake:
            return [str(mistake)]

    def _run(self, verb: str, words: List[str]) -> List[str]:
        command = next((row for row in COMMANDS if row.name == verb), None)
        if command is None:
            raise Mistake(f"{verb!r} is not a command; type one of {', '.join(row.name for row in COMMANDS)}")
        if len(words) > len(command.arguments.split()):
            raise Mistake(f"{verb}: {words[-1]!r} is one argument too many; type: {command.usage}")
        if verb == "quit":
            self._quit()
            return ["The demo ends."]
        if verb == "help":
            return [f"{row.usage:<13} {row.help}" for row in COMMANDS]
        if verb == "hosts":
            return self._table()
        number = self._number(verb, words)
        host = self._hosts[number - 1]
        if verb == "slow":
            return self._slow(number, host, words[1:])
        return self._hosts_commands[verb](number, host)

    def _number(self, verb: str, words: List[str]) -> int:
        try:
            return whole(1, len(self._hosts))(words[0] if words else "")
        except ValueError:
            given = f"there is no host {words[0]!r}" if words else "no host is named"
            last = "" if len(self._hosts) == 1 else f" to {verb} {len(self._hosts)}"
            raise Mistake(f"{verb}: {given}; type {verb} 1{last}") from None

    def _stop(self, number: int, host: DemoHost) -> List[str]:
        if not host.running:
            return [f"Host {number} is stopped already; start {number} brings it back."]
        host.stop()
        return [f"Host {number} is stopped: {self._others(number)}", "The log shows when the router noticed."]

    def _start(self, number: int, host: DemoHost) -> List[str]:
        if host.running:
            return [f"Host {number} runs; heal {number} makes it behave, stop {number} ends it."]
        host.faults.clear()
        try:
            host.restart()
        except OSError as error:
            return [f"Host {number} cannot be started on {host.address}: {error.strerror}."]
        return [f"Host {number} is back, and empty; {self._until_found()}"]

    def _hang(self, number: int, host: DemoHost) -> List[str]:
        self._check_runs("hang", number, host)
        host.faults.deaf = True
        timeout, times = self._settings.timeout_ms, self._settings.timeouts_until_tko
        return [f"Host {number} hangs: a request to it waits {timeout} ms; after {times} timeouts it is unhealthy.",
                f"Then {self._others(number)}"]  # fmt: skip

    def _slow(self, number: int, host: DemoHost, words: List[str]) -> List[str]:
        self._check_runs("slow", number, host)
        try:
            ms = whole(1, _SLOW_MOST, "milliseconds")(words[0]) if words else _SLOW_MS
        except ValueError as error:
            raise Mistake(invalid_value("slow", words[0], error)) from None
        host.faults.delay = ms / 1000
        if ms >= self._settings.timeout_ms:
            return [f"Host {number} takes {ms} ms to answer, longer than the router waits: as if it hung."]
        return [f"Host {number} takes {ms} ms to answer; gets that ask it are as slow, and the metrics show it."]

    def _heal(self, number: int, host: DemoHost) -> List[str]:
        if not host.running:
            return [f"Host {number} is stopped; start {number} brings it back."]
        host.faults.clear()
        return [f"Host {number} behaves again. If it was unhealthy, {self._until_found()}",
                "What it has missed is deleted there first, so that no client reads old values."]  # fmt: skip

    def _check_runs(self, verb: str, number: int, host: DemoHost) -> None:
        if not host.running:
            raise Mistake(f"Host {number} is stopped, and cannot {verb}; start {number} brings it back.")

    def _others(self, number: int) -> str:
        behaves = [at for at, host in enumerate(self._hosts, 1) if at != number and _state(host) == "up"]
        if not behaves:
            return "no other host is up, so requests fail with an error line."
        return f"gets fail over to host {behaves[0]}, writes go to the hosts that are left."

    def _until_found(self) -> str:
        return f"a probe finds it within {self._settings.healthcheck_interval:g} s: see the log."

    def _table(self) -> List[str]:
        lines = [f"{'host':>4}  {'address':<21}  {'state':<12}  {'items':>7}  {'requests':>9}"]
        for number, host in enumerate(self._hosts, 1):
            stats = host.stats
            items, requests = stats["curr_items"], sum(stats[name] for name in _COUNTED)
            counted = f"{items:>7}  {requests:>9}" if host.running else f"{'-':>7}  {'-':>9}"
            lines.append(f"{number:>4}  {host.address:<21}  {_state(host):<12}  {counted}")
        return lines


def _state(host: DemoHost) -> str:
    if not host.running:
        return "stopped"
    if host.faults.deaf:
        return "hangs"
    return f"slow, {host.faults.delay * 1000:.0f} ms" if host.faults.delay else "up"


def listen(console: Console, say: Callable[[List[str]], None]) -> Optional[threading.Thread]:
    """Starts a thread that reads standard input until the process ends; None if there is no standard input."""
    if sys.stdin is None:
        return None
    if hasattr(signal, "SIGTTIN"):
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)  # reading in the background (`--demo &`) must not stop it
    thread = threading.Thread(target=_read, args=(sys.stdin.fileno(), console, say), name="demo console", daemon=True)
    thread.start()
    return thread


def _read(fd: int, console: Console, say: Callable[[List[str]], None]) -> None:
    """Reads without Python's buffers: a thread that waits in them would block the end of the interpreter."""
    held = b""
    while True:
        data = _next(fd)
        if data is None:
            time.sleep(_BACKGROUND_PAUSE)
            continue
        *lines, held = (held + data).split(b"\n") if data else [held, b""]
        for line in lines:
            say(console.run(line.decode(errors="replace")))
        if not data:
            return


def _next(fd: int) -> Optional[bytes]:
    """Returns the next input; empty at the end of input, None while the terminal belongs to another program."""
    try:
        select.select([fd], [], [])
        return os.read(fd, 1 << 16)
    except BlockingIOError:
        return None
    except (OSError, ValueError):
        return None if os.isatty(fd) else b""



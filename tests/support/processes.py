"""Real processes for the tests: memcached and the router, on ports of their own of 127.0.0.1."""

import contextlib
import functools
import itertools
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

ROOT = Path(__file__).resolve().parent.parent.parent
DEADLINE = 90.0  # seconds that anything may take before the test fails, also on a machine that is busy with other work


def until(done: Callable[[], Any], what: str = "") -> Any:
    """Polls until `done()` is true, and returns it."""
    end = time.monotonic() + DEADLINE
    while True:
        result = done()
        if result:
            return result
        assert time.monotonic() < end, f"waited in vain: {what or done}"
        time.sleep(0.01)


_SLICE = 500  # ports that one process of tests has for itself


@functools.lru_cache(maxsize=None)
def _ports_of(_process: int) -> Iterator[int]:
    """The ports of this process, again and again. They lie below those that Linux gives to connections and to listeners
    without a wish, and a UDP socket on the first keeps other processes from the same: what is free stays so."""
    for first in range(10_000, 32_768 - _SLICE, _SLICE):
        mark = socket.socket(type=socket.SOCK_DGRAM)
        try:
            mark.bind(("127.0.0.1", first))
        except OSError:
            mark.close()
            continue
        _marks.append(mark)
        return itertools.cycle(range(first, first + _SLICE))
    raise AssertionError("too many tests run at once")


_marks: List[socket.socket] = []  # they end with the process


def free_port() -> int:
    """A port on which nothing listens, now and until the test lets something listen there."""
    for port in _ports_of(os.getpid()):
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port is taken")


def ask(port: int, data: bytes) -> bytes:
    """Everything that is answered to `data` until the other side closes (send `quit`)."""
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as sock, sock.makefile("rb") as answers:
        sock.sendall(data)
        return answers.read()


class Memcached:
    """A real memcached; `kill`, `freeze` and `thaw` it, `start` it again on the same port."""

    def __init__(self, *args: str) -> None:
        self.args = args
        self.port = free_port()
        self.process: Any = None
        self._said = tempfile.TemporaryFile() if "-vv" in args else None  # noqa: SIM115 (closed in `stop`)

    def start(self) -> "Memcached":
        """Starts it and waits until it answers."""
        path = shutil.which("memcached", path=os.environ.get("PATH", "") + ":/usr/sbin")
        assert path, "memcached is not installed; tools/test installs it"
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        command = [path, "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", *user, *self.args]
        self.process = subprocess.Popen(command, stderr=self._said or subprocess.DEVNULL)
        until(self.answers, "memcached")
        if self._said is not None:
            self._said.truncate(0)
        return self

    def is_probed(self) -> bool:
        """Whether it has answered the first probe of a router since it was started with -vv."""
        assert self._said is not None
        self._said.seek(0)
        return b" VERSION " in self._said.read()

    def answers(self) -> bool:
        """Whether it serves."""
        try:
            return ask(self.port, b"version\r\nquit\r\n").startswith(b"VERSION")
        except OSError:
            return False

    def ask(self, data: bytes) -> bytes:
        """What it answers to `data` and a `quit`."""
        return ask(self.port, data + b"quit\r\n")

    def has(self, key: bytes) -> bool:
        """Whether it has a value for the key."""
        return ask(self.port, b"get %b\r\nquit\r\n" % key).startswith(b"VALUE")

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """SIGSTOP: it accepts and says nothing."""
        self.process.send_signal(signal.SIGSTOP)
        tasks = list(Path(f"/proc/{self.process.pid}/task").iterdir())
        until(lambda: all(" T " in (task / "stat").read_text() for task in tasks), "all its threads to stop")

    def thaw(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ends it, in whatever state it is."""
        if self.process is not None and self.process.poll() is None:
            self.thaw()
            self.kill()
        if self._said is not None:
            self._said.close()


SAMPLE = {
    **dict.fromkeys(("add", "append", "decr", "delete", "incr", "prepend", "replace", "set"), "AllFastestRoute"),
    **dict.fromkeys(("get", "gets"), "MissFailoverRoute"),
    **dict.fromkeys(("version", "quit", "stats"), "LocalRoute"),
}


def config(hosts: List[str], route: str = "") -> str:
    """A config over these hosts: one route for all, or the seed's sample policy."""
    lines = ["orderedPool:", *(f"  - {host}" for host in hosts), "route:"]
    if route:
        return "\n".join([*lines, f"  type: {route}"])
    policies = [f"    {command}: {name}" for command, name in SAMPLE.items()]
    return "\n".join([*lines, "  type: OperationSelectorRoute", "  operationPolicies:", *policies])


class Successor:
    """A process that is no child of ours: the part of Popen that tests need."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._pidfd = os.pidfd_open(pid)

    def send_signal(self, number: int) -> None:
        """To it, and to no other that may have its number by now."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def poll(self) -> Any:
        """None while it runs, then 0: who is not its parent cannot know more."""
        return 0 if select.select([self._pidfd], [], [], 0)[0] else None

    def wait(self, seconds: float = DEADLINE) -> int:
        """Until it has ended."""
        assert select.select([self._pidfd], [], [], seconds)[0], "it does not end"
        return 0


class RouterProcess:
    """The router as an operator runs it. `log()` is what it wrote to stderr so far."""

    def __init__(self, text: str, *flags: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mcrouter-test-"))
        self.config = self.folder / "router.yaml"
        self.config.write_text(text)
        self.port, self.metrics_port = free_port(), free_port()
        command = [sys.executable, "-m", "mcrouter", "-f", str(self.config)]
        command += ["-l", f"tcp://127.0.0.1:{self.port}", "-L", f"127.0.0.1:{self.metrics_port}", *flags]
        self._log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=self._log, stdout=self._log)
        until(self.serves, f"the router: {self.log()}")

    def serves(self) -> bool:
        """Whether it accepts clients."""
        try:
            socket.create_connection(("127.0.0.1", self.port), DEADLINE).close()
            return True
        except OSError:
            assert self.process.poll() is None, self.log()
            return False

    def serves_new(self) -> bool:
        """Whether a new client would be accepted now."""
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, data: bytes) -> bytes:
        """What it answers to `data` and a `quit`."""
        return ask(self.port, data + b"quit\r\n")

    def metrics(self) -> Dict[str, float]:
        """Sample (name and labels as written) to value."""
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=DEADLINE) as page:
            text = page.read().decode()
        return {m[1]: float(m[2]) for m in re.finditer(r"^([^#\n]\S*(?:\{.*\})?) (\S+)$", text, re.M)}

    def children(self) -> List[int]:
        """The processes of its event loops."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def restart(self) -> int:
        """SIGUSR2; waits until the process that comes after it serves alone, and returns the exit code of the old one."""
        old, served = self.process, self.log().count(" serves; ")
        old.send_signal(signal.SIGUSR2)
        until(lambda: self.log().count(" serves; ") > served, f"the new process: {self.log()}")
        self.adopt_successor()
        return int(old.wait(DEADLINE))

    def adopt_successor(self) -> None:
        """From here on, `process` is the one that has taken over."""
        self.process = Successor(int(re.findall(r"process (\d+) serves; ", self.log())[-1]))

    def log(self) -> str:
        """Its log so far."""
        return (self.folder / "log").read_text()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(DEADLINE)
        finally:
            self.process.kill()
            self.process.wait()
            self._log.close()
            shutil.rmtree(self.folder, ignore_errors=True)

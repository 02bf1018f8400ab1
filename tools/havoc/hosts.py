"""memcacheds that are killed, frozen, thawed and started again; each keeps its port."""

import os
import shutil
import signal
import socket
from typing import Iterable, List, Optional

from benchmark.stage import BenchError, Process, Stage, answers, free_port

from .relay import Cuts, Relay
from .wire import Reply, Value, cut

_DEADLINE = 10.0  # seconds
_MEMORY, _ITEM = "256", "16m"  # -m, -I
_KEYS_ASKED = 100  # of one get


class Host:
    """One memcached. `seen_at` is the port where the router finds it: its own, or that of a relay with these cuts."""

    def __init__(self, stage: Stage, number: int, cuts: Optional[Cuts] = None) -> None:
        self.name = f"memcached{number}"
        self.port = self.seen_at = free_port()
        self._relay = None if cuts is None else Relay(self.port, cuts)
        if self._relay is not None:
            self.seen_at = self._relay.start().port
        self._stage = stage
        self._process: Optional[Process] = None
        self.start()

    def start(self) -> None:
        """Starts it, empty; it may take some milliseconds to serve."""
        program = shutil.which("memcached", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin")
        if program is None:
            raise BenchError("memcached is not installed; install the package memcached")
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        words = [program, "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m", _MEMORY, "-I", _ITEM, *user]
        self._process = self._stage.start(self.name, words)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            process, self._process = self._process, None
            os.kill(process.pid, signal.SIGKILL)
            self._stage.stop(process)

    def end(self) -> None:
        """Kills it for good, and ends its relay."""
        self.kill()
        if self._relay is not None:
            self._relay.stop()

    def freeze(self) -> None:
        """SIGSTOP: the kernel takes what is sent to it, and it says nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def recover(self) -> None:
        """Makes it serve again, whatever was done to it, and waits until it does."""
        if self._process is None:
            self.start()
        else:
            self.thaw()
        assert self._process is not None
        self._stage.wait(self.name, self._process, lambda: answers(self.port))

    def values(self, names: Iterable[bytes]) -> List[Value]:
        """What it holds of these keys, asked directly."""
        asked = list(names)
        found: List[Value] = []
        with socket.create_connection(("127.0.0.1", self.port), _DEADLINE) as sock:
            for at in range(0, len(asked), _KEYS_ASKED):
                sock.sendall(b"get %b\r\n" % b" ".join(asked[at : at + _KEYS_ASKED]))
                found += _read(sock).values
        return found

    def _signal(self, number: int) -> None:
        if self._process is not None:
            os.kill(self._process.pid, number)


def _read(sock: socket.socket) -> Reply:
    received = bytearray()
    while True:
        found = cut(received)
        if found is not None:
            return found[0]
        data = sock.recv(1 << 18)
        if not data:
            raise BenchError("a memcached closed the connection that it was asked on")
        received += data

"""Health checks: one prober a host, on a connection of its own.

Every interval it asks `version` and wants a VERSION line within the timeout. So a host that accepts connections and
does not answer is found, and one that was given up (three timeouts, a refused connect) is found when it is back.
"""

import errno
import logging
import os
import random
import socket
from typing import Optional

from .loop import PollGroup, Timer
from .poller import IN, OUT
from .upstream import Host

logger = logging.getLogger(__name__)

_ASK = b"version\r\n"
_JITTER = 0.1  # of the interval, so that many routers do not ask at once


class Prober:
    """Asks one host in turns and tells it what came of it."""

    def __init__(self, host: Host, loop: PollGroup, interval: float) -> None:
        self._host = host
        self._loop = loop
        self._interval = interval
        self._sock: Optional[socket.socket] = None
        self._fd = -1
        self._connected = False
        self._answer = b""
        self._waiting = False
        self._timer: Optional[Timer] = None

    def start(self) -> None:
        """Begins; the first check is due at once."""
        self._timer = self._loop.call_later(0.0, self._check)

    def stop(self) -> None:
        """Ends, and closes the connection."""
        if self._timer is not None:
            self._timer.cancel()
        self._hang_up()

    def abort(self) -> None:
        """After a bug of ours: start over."""
        self._failed("internal error")

    def _check(self) -> None:
        self._waiting = True
        self._timer = self._loop.call_later(self._host.timeout, self._late)
        if self._sock is None:
            self._connect()
        else:
            self._ask()

    def _connect(self) -> None:
        address = self._host.address
        if address is None:
            self._failed("its name does not resolve")
            return
        family, where = address
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.setblocking(False)
            code = sock.connect_ex(where)
        except OSError as error:
            self._failed(f"cannot connect: {error.strerror}")
            return
        if code not in (0, errno.EINPROGRESS, errno.EAGAIN):
            sock.close()
            self._failed(f"cannot connect: {os.strerror(code)}")
            return
        self._sock, self._fd, self._connected = sock, sock.fileno(), False
        self._loop.watch(self._fd, self.on_event)

    def on_event(self, mask: int) -> None:
        """The poller's report."""
        if self._sock is None:
            return
        if not self._connected and mask & OUT:
            code = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                self._failed(f"cannot connect: {os.strerror(code)}")
                return
            self._connected = True
            self._loop.poller.want_write(self._fd, False)
            if self._waiting:
                self._ask()
        elif mask & ~OUT:
            self._receive(bool(mask & ~(IN | OUT)))

    def _ask(self) -> None:
        self._answer = b""
        try:
            os.write(self._fd, _ASK)
        except OSError as error:
            self._failed(f"no probe: {error.strerror}")

    def _receive(self, gone: bool) -> None:
        try:
            data = os.read(self._fd, 4096)
        except BlockingIOError:
            return
        except OSError as error:
            data, gone = b"", bool(error)
        self._answer += data
        if self._waiting and self._answer.endswith(b"\n"):
            if self._answer.startswith(b"VERSION "):
                self._passed()
            else:
                self._failed(f"probe answered with {self._answer[:40]!r}")
        elif not data or gone:
            self._broken()

    def _broken(self) -> None:
        """The host closed the probe's connection: bad news only if an answer was due."""
        if self._waiting:
            self._failed("probe connection closed")
        else:
            self._hang_up()

    def _late(self) -> None:
        self._failed(f"probe not answered within {self._host.timeout * 1000:.0f} ms")

    def _passed(self) -> None:
        self._again()
        self._host.mark_up()

    def _failed(self, why: str) -> None:
        self._hang_up()
        self._again()
        self._host.mark_down(why)

    def _again(self) -> None:
        self._waiting = False
        if self._timer is not None:
            self._timer.cancel()
        pause = self._interval * random.uniform(1 - _JITTER, 1.0)
        self._timer = self._loop.call_later(pause, self._check)

    def _hang_up(self) -> None:
        if self._sock is not None:
            self._loop.close_later(self._sock.detach())
            self._sock, self._fd = None, -1

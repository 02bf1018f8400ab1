"""Restart without interruption: a new process, even of a newer version, takes over all clients from this one.

    old ──starts, with the listening sockets and one end of a link──► new
    old ◄──"ready": the new process serves───────────────────────────
    old ──each client, between two of its requests (engine/clients/handover.py)──► new
    old ends when it has no clients left

One environment variable (VARIABLE) has all that the new process must know from the start.
"""

import os
import re
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence

from ...errors import RouterError
from ...settings import SettingsError, invalid_value
from ...system.deferred import standard
from ...system.logs import get_logger
from .systemd import notify

if TYPE_CHECKING:
    import json
    import subprocess
else:
    json, subprocess = standard("json"), standard("subprocess")

logger = get_logger(__name__)

VARIABLE = "MCROUTER_TAKES_OVER"
_READY = b"ready"
_PATIENCE = 60.0  # seconds that the new process may take to start

_FIRST_FD = 3  # sd_listen_fds(3)


class Inheritance(NamedTuple):
    """The sockets and facts that a process inherits from its predecessor. It owns all the descriptors."""

    listen: Dict[str, List[int]] = {}
    """The listening sockets by address, as in --listen."""
    metrics: Optional[int] = None
    """The listening socket of the metrics."""
    link: Optional[int] = None
    """The socket over which the predecessor passes its clients."""
    away: Sequence[str] = ()
    """The hosts that have missed writes."""

    def release(self) -> None:
        """Tells the predecessor that this process serves, then closes the link."""
        if self.link is not None:
            with socket.socket(fileno=self.link) as link:
                link.send(_READY)


def inherited() -> Inheritance:
    """Returns what the predecessor has left. Raises RouterError if the environment variable is not from a router."""
    text = os.environ.pop(VARIABLE, "")
    if not text:
        return Inheritance()
    try:
        found = Inheritance(**json.loads(text))
        _check(found)
    except (AttributeError, OSError, OverflowError, RecursionError, TypeError, ValueError):
        raise RouterError(f"the environment variable {VARIABLE} is not from a router; unset it") from None
    return found


def _check(found: Inheritance) -> None:
    """Raises one of several errors if a descriptor is not a socket of the right kind, or if a type is wrong."""
    listening = [fd for fds in found.listen.values() for fd in fds]
    for fd in [*listening, *([] if found.metrics is None else [found.metrics])]:
        if not _option(fd, socket.SO_ACCEPTCONN):
            raise ValueError("not a listening socket")
    if found.link is not None and _option(found.link, socket.SO_TYPE) != socket.SOCK_SEQPACKET:
        raise ValueError("not a link")
    if not isinstance(found.away, list) or not all(isinstance(name, str) for name in found.away):
        raise TypeError("away is not a list of hosts")


def _option(fd: int, option: int) -> int:
    with socket.socket(fileno=os.dup(fd)) as sock:
        return sock.getsockopt(socket.SOL_SOCKET, option)


def activated() -> Dict[str, List[str]]:
    """Returns the sockets that a service manager has opened (LISTEN_FDS, sd_listen_fds(3)), as values of settings.

    A socket named `metrics` (LISTEN_FDNAMES) is for the metrics, the others are for clients. A successor uses those of
    its predecessor. Raises SettingsError.
    """
    told = os.environ.get("LISTEN_FDS", "")
    if not told or (os.environ.get("LISTEN_PID") != str(os.getpid()) and VARIABLE not in os.environ):
        return {}
    if not re.fullmatch("[0-9]{1,4}", told):
        expected = "a whole number from 0 to 9999, or no such variable"
        raise SettingsError(invalid_value("LISTEN_FDS", told, expected))
    count = int(told)
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    found: Dict[str, List[str]] = {}
    for number in range(count):
        setting = "metrics_listen_addr" if names[number : number + 1] == ["metrics"] else "listen"
        found.setdefault(setting, []).append(f"fd://{_FIRST_FD + number}")
    return found


def command() -> List[str]:
    """Returns the command line that this process was started with."""
    original = getattr(sys, "orig_argv", None)  # since Python 3.10
    if original is not None:
        return [sys.executable, *original[1:]]
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    start = ["-m", spec.name.rpartition(".")[0]] if spec is not None and spec.parent else [sys.argv[0]]
    return [sys.executable, *start, *sys.argv[1:]]


class Restarter:
    """Starts the successor of `router` on request (SIGUSR2), in a thread."""

    def __init__(self, router: Any) -> None:
        self._router = router
        self._busy = threading.Lock()

    def now(self) -> None:
        """Starts a successor, unless one is being started. Safe in a signal handler."""
        if self._busy.acquire(blocking=False):
            threading.Thread(target=self._run, name="mcrouter-restart", daemon=True).start()

    def _run(self) -> None:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with self._router.no_forks():  # an event loop forked now would hold the pipe that Popen waits for
                process = self._start(its)
            its.close()
            ours.settimeout(_PATIENCE)
            if ours.recv(len(_READY)) != _READY:
                raise OSError("it has ended; see its log")
        except OSError as error:
            logger.error("the new process does not serve, so this one continues to serve: %s", error)
            ours.close()
            self._busy.release()
            return
        logger.info("process %d serves; this one passes its clients to it one by one", process.pid)
        notify(f"MAINPID={process.pid}")
        process.returncode = 0  # the process outlives this one, which does not wait for it
        self._router.hand_over(ours)

    def _start(self, link: socket.socket) -> Any:
        left = self._router.inheritance()
        left["link"] = link.fileno()
        fds = [fd for socks in left["listen"].values() for fd in socks] + [left["link"]]
        if left["metrics"] is not None:
            fds.append(left["metrics"])
        environment = {**os.environ, VARIABLE: json.dumps(left)}
        return subprocess.Popen(command(), env=environment, pass_fds=fds, stdin=subprocess.DEVNULL)

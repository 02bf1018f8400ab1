"""A new process, also of a newer version of the code, takes over from this one, and no client notices.

    old ──starts, with its listening sockets and one end of a link──► new
    old ◄──"ready": it serves────────────────────────────────────────
    old ──each client, between two of its requests (engine/handover.py)──► new
    old ends when it has none left

What must be known to the new process from the start is in one environment variable.
"""

import os
import re
import socket
import sys
import threading
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from .errors import RouterError
from .logs import get_logger
from .notify import notify
from .settings import SettingsError

logger = get_logger(__name__)

VARIABLE = "MCROUTER_TAKES_OVER"
_READY = b"ready"
_PATIENCE = 60.0  # seconds that the new process may take to start

_FIRST_FD = 3  # sd_listen_fds(3)


class Inheritance(NamedTuple):
    """What a process gets from whoever started it. All descriptors are its own."""

    listen: Dict[str, List[int]] = {}
    """By address, as --listen has it: sockets that listen on it."""
    metrics: Optional[int] = None
    """The socket that listens for the metrics."""
    link: Optional[int] = None
    """The socket that clients come over."""
    away: Sequence[str] = ()
    """Hosts that have missed writes."""

    def ready(self) -> None:
        """Tells the old process that this one serves."""
        if self.link is not None:
            with socket.socket(fileno=os.dup(self.link)) as link:
                link.send(_READY)


def inherited() -> Inheritance:
    """What the process that this one takes over from has left. Raises RouterError for what no router leaves."""
    text = os.environ.pop(VARIABLE, "")
    if not text:
        return Inheritance()
    import json

    try:
        found = Inheritance(**json.loads(text))
        _check(found)
    except (AttributeError, OSError, OverflowError, RecursionError, TypeError, ValueError):
        raise RouterError(f"{VARIABLE} is not what a router leaves to its successor; unset it") from None
    return found


def _check(found: Inheritance) -> None:
    """Raises one of many errors where a descriptor is no socket of that kind, or anything is of another type."""
    listening = [fd for fds in found.listen.values() for fd in fds]
    for fd in [*listening, *([] if found.metrics is None else [found.metrics])]:
        if not _option(fd, socket.SO_ACCEPTCONN):
            raise ValueError("it does not listen")
    if found.link is not None and _option(found.link, socket.SO_TYPE) != socket.SOCK_SEQPACKET:
        raise ValueError("no clients come over it")
    if not isinstance(found.away, list) or not all(isinstance(name, str) for name in found.away):
        raise TypeError("away is no list of hosts")


def _option(fd: int, option: int) -> int:
    with socket.socket(fileno=os.dup(fd)) as sock:
        return sock.getsockopt(socket.SOL_SOCKET, option)


def activated() -> Dict[str, List[str]]:
    """The sockets that a service manager has opened (LISTEN_FDS, sd_listen_fds(3)), as values of settings: one that is
    named `metrics` (LISTEN_FDNAMES) for the metrics, the others to listen on. A successor has its predecessor's. Raises
    SettingsError."""
    told = os.environ.get("LISTEN_FDS", "")
    if not told or (os.environ.get("LISTEN_PID") != str(os.getpid()) and VARIABLE not in os.environ):
        return {}
    if not re.fullmatch("[0-9]{1,4}", told):
        raise SettingsError(f"LISTEN_FDS: {told!r} will not do; give a whole number from 0 to 9999, or unset it")
    count = int(told)
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    found: Dict[str, List[str]] = {}
    for number in range(count):
        setting = "metrics_listen_addr" if names[number : number + 1] == ["metrics"] else "listen"
        found.setdefault(setting, []).append(f"fd://{_FIRST_FD + number}")
    return found


def command() -> List[str]:
    """What this process was started with."""
    original = getattr(sys, "orig_argv", None)  # since Python 3.10
    if original is not None:
        return [sys.executable, *original[1:]]
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    start = ["-m", spec.name.rpartition(".")[0]] if spec is not None and spec.parent else [sys.argv[0]]
    return [sys.executable, *start, *sys.argv[1:]]


class Restarter:
    """Starts the successor of `router`, in a thread, whenever it is asked."""

    def __init__(self, router: Any) -> None:
        self._router = router
        self._busy = threading.Lock()

    def now(self) -> None:
        """Starts one, unless that is under way. Safe in a signal handler."""
        if self._busy.acquire(blocking=False):
            threading.Thread(target=self._run, name="mcrouter-restart", daemon=True).start()

    def _run(self) -> None:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with self._router.without_births():  # a shard born now would hold the pipe that Popen waits for
                process = self._start(its)
            its.close()
            ours.settimeout(_PATIENCE)
            if ours.recv(len(_READY)) != _READY:
                raise OSError("it has ended; see what it said")
        except OSError as error:
            logger.error("the new process does not serve, this one goes on: %s", error)
            ours.close()
            self._busy.release()
            return
        logger.info("process %d serves; clients go there one by one", process.pid)
        notify(f"MAINPID={process.pid}")
        process.returncode = 0  # it outlives us: nobody waits for it
        self._router.hand_over(ours)

    def _start(self, link: socket.socket) -> Any:
        import json
        import subprocess

        left = self._router.legacy()
        left["link"] = link.fileno()
        fds = [fd for socks in left["listen"].values() for fd in socks] + [left["link"]]
        if left["metrics"] is not None:
            fds.append(left["metrics"])
        environment = {**os.environ, VARIABLE: json.dumps(left)}
        return subprocess.Popen(command(), env=environment, pass_fds=fds, stdin=subprocess.DEVNULL)

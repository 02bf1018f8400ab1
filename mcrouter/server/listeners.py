"""Listening sockets: opened once, before anything serves, so that a taken port is told at once.

With one event loop a socket is bound alone. With several, each has its own on the same port (SO_REUSEPORT: the kernel
spreads the clients); unix and inherited sockets are shared by all.
"""

import contextlib
import os
import socket
import stat
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

_BACKLOG = 1024


class ListenError(Exception):
    """A socket cannot be opened; the message names it."""


def open_listeners(
    addresses: Sequence[Any], workers: int, inherited: Mapping[str, Sequence[int]]
) -> Dict[str, List[socket.socket]]:
    """By address as it is written, its sockets: one for each event loop at least; raises ListenError.

    `inherited` has, in the same way, descriptors of sockets that listen already.
    """
    opened: Dict[str, List[socket.socket]] = {}
    try:
        for address in dict.fromkeys(addresses):  # who is asked for twice listens once
            known = inherited.get(address.text)
            opened[address.text] = _share(known, workers) if known else _open(address, workers)
    except OSError as error:
        for socks in opened.values():
            for sock in socks:
                sock.close()
        SocketFiles([address for address in addresses if address.text in opened.keys() - inherited.keys()]).remove()
        why = f"{error.strerror or error}; --listen names others"
        raise ListenError(f"cannot listen on {address.text}: {why}") from None
    return opened


def _share(fds: Sequence[int], workers: int) -> List[socket.socket]:
    """A socket at least for each event loop; who waits in one is lost if nobody accepts from it, so all are used."""
    socks = [socket.socket(fileno=fd) for fd in fds]
    return [*socks, *(socks[number % len(socks)].dup() for number in range(len(socks), workers))]


def _open(address: Any, workers: int) -> List[socket.socket]:
    if address.kind == "tcp":
        return _open_tcp(address.host, address.port, workers)
    sock = _open_unix(address) if address.kind == "unix" else socket.socket(fileno=os.dup(address.fd))
    return [sock, *(sock.dup() for _ in range(workers - 1))]


def _open_tcp(host: str, port: int, workers: int) -> List[socket.socket]:
    first = _bind_tcp(host, port, False)
    if workers == 1:
        first.listen(_BACKLOG)
        return [first]
    port = first.getsockname()[1]  # bound alone once, so that a port in use is an error and not shared
    first.close()
    socks: List[socket.socket] = []
    try:
        for _ in range(workers):
            socks.append(_bind_tcp(host, port, True))
            socks[-1].listen(_BACKLOG)
    except OSError:
        for sock in socks:
            sock.close()
        raise
    return socks


def _bind_tcp(host: str, port: int, shared: bool) -> socket.socket:
    family, where = _resolve(host, port)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6 and not host:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(where)
    except OSError:
        sock.close()
        raise
    return sock


def _resolve(host: str, port: int) -> Tuple[int, Any]:
    """Where to bind; an empty host is every address, of both families where there is IPv6."""
    if host:
        family, _, _, _, where = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)[0]
        return family, where
    if socket.has_dualstack_ipv6():
        return socket.AF_INET6, ("::", port)
    return socket.AF_INET, ("", port)


def _open_unix(address: Any) -> socket.socket:
    """Binds a path; one that a dead process left behind is taken over. Its mode is set before it listens, when no
    client can connect to it yet."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(address.path)
        sock.bind(address.path)
        if address.mode is not None:
            os.chmod(address.path, address.mode)
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _remove_stale(path: str) -> None:
    """Removes a socket's file that no process listens on. One with more clients than it has room for would make a probe
    wait, so the probe does not."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                os.unlink(path)
            except BlockingIOError:
                pass


class SocketFiles:
    """The files of the unix sockets among these addresses, as they are now."""

    def __init__(self, addresses: Sequence[Any] = ()) -> None:
        self._process = os.getpid()
        self._known = {address.path: _identity(address.path) for address in addresses if address.kind == "unix"}

    def remove(self) -> None:
        """Removes them: all but those that another process has made anew. In a forked child, does nothing."""
        if self._process == os.getpid():
            for path, known in self._known.items():
                if known is not None and known == _identity(path):
                    with contextlib.suppress(OSError):
                        os.unlink(path)
        self._known = {}


def _identity(path: str) -> Optional[Tuple[int, int]]:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISSOCK(found.st_mode) else None


def real_address(address: Any, sock: socket.socket) -> str:
    """The address with the port that it really has, and without a mode."""
    if address.kind == "unix":
        return f"unix://{address.path}"
    if address.kind != "tcp":
        return str(address.text)
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"tcp://{host}:{sock.getsockname()[1]}"

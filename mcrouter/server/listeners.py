"""Listening sockets. All are opened before anything serves, so that a port in use is an error at the start.

With several event loops each has its own socket on a TCP port (SO_REUSEPORT: the kernel spreads the clients); unix and
inherited sockets are shared by all.
"""

import contextlib
import os
import socket
import stat
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

_BACKLOG = 1024


class ListenError(Exception):
    """Raised if a socket cannot be opened; the message names it."""


def open_listeners(
    addresses: Sequence[Any], workers: int, inherited: Mapping[str, Sequence[int]]
) -> Dict[str, List[socket.socket]]:
    """Returns the sockets of each address, by its text: at least one for each of so many workers. Raises ListenError.

    `inherited` has the descriptors of sockets that listen already, by the same texts.
    """
    opened: Dict[str, List[socket.socket]] = {}
    try:
        for address in dict.fromkeys(addresses):  # an address that is given twice is opened once
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
    """Returns at least one socket for each event loop. Clients wait in each of the inherited ones, so all are used."""
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
    port = first.getsockname()[1]  # `first` is bound without SO_REUSEPORT, so that a port in use is an error
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
    """Returns the family and the address to bind to; an empty host is every address, of both families if there is
    IPv6."""
    if host:
        family, _, _, _, where = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)[0]
        return family, where
    if socket.has_dualstack_ipv6():
        return socket.AF_INET6, ("::", port)
    return socket.AF_INET, ("", port)


def _open_unix(address: Any) -> socket.socket:
    """Binds a path, also one that a process which has ended left behind. Sets the mode before the socket listens, as no
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
    """Removes the file of a socket that no process listens on. The probe does not wait, as it else would if the backlog
    of the socket is full."""
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
    """Knows the files of the unix sockets among these addresses, as they are now."""

    def __init__(self, addresses: Sequence[Any] = ()) -> None:
        self._process = os.getpid()
        self._known = {address.path: _identity(address.path) for address in addresses if address.kind == "unix"}

    def remove(self) -> None:
        """Removes the files, except those that another process has made anew. Has no effect in a forked child."""
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
    """Returns the address with its real port, and without a mode."""
    if address.kind == "unix":
        return f"unix://{address.path}"
    if address.kind != "tcp":
        return str(address.text)
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"tcp://{host}:{sock.getsockname()[1]}"

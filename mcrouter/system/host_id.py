"""The host id: a number of this machine. Routes use it to make the same choice on one machine, and other choices on
others."""

import functools
import re
import socket
import zlib
from typing import Iterable, List

_TEMPORARY, _LINK_LOCAL = 0x01, 0x20  # IFA_F_TEMPORARY; IPV6_ADDR_LINKLOCAL, of linux/ipv6.h


@functools.lru_cache(maxsize=None)
def host_id() -> int:
    """Returns a 32-bit number made of the addresses of this machine.

    It stays the same while the addresses do, and for the lifetime of this process. It is made of the IPv4 addresses; if
    there are none, of the IPv6 addresses that do not change by themselves; if there are none, of the host name.
    """
    names = _ipv4(_read("/proc/net/fib_trie")) or _ipv6(_read("/proc/net/if_inet6")) or [socket.gethostname()]
    return number(names)


def number(names: Iterable[str]) -> int:
    """Returns the number for these addresses; their order does not matter."""
    return zlib.crc32(" ".join(sorted(set(names))).encode())


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:  # not Linux, or not readable
        return ""


def _ipv4(trie: str) -> List[str]:
    """Returns the addresses of this machine in the kernel's routing table."""
    found = re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", trie)
    return [address for address in found if not address.startswith("127.")]


def _ipv6(table: str) -> List[str]:
    """Returns the lasting addresses in a table with `address index length scope flags interface`."""
    rows = [line.split() for line in table.splitlines()]
    return [row[0] for row in rows if len(row) == 6 and _lasts(int(row[3], 16), int(row[4], 16)) and row[5] != "lo"]


def _lasts(scope: int, flags: int) -> bool:
    return scope != _LINK_LOCAL and not flags & _TEMPORARY

"""A number for this machine, by which handles choose that are to choose alike on it and differently on others."""

import functools
import re
import socket
import zlib
from typing import Iterable, List

_TEMPORARY, _LINK_LOCAL = 0x01, 0x20  # IFA_F_TEMPORARY; IPV6_ADDR_LINKLOCAL, of linux/ipv6.h


@functools.lru_cache(maxsize=None)
def host_id() -> int:
    """A 32-bit number made of the addresses of this machine, the same as long as those are, and while this process
    lives. IPv4 if it has any, else IPv6, but for those that change by themselves; the name where none can be found."""
    names = _ipv4(_read("/proc/net/fib_trie")) or _ipv6(_read("/proc/net/if_inet6")) or [socket.gethostname()]
    return number(names)


def number(names: Iterable[str]) -> int:
    """The number that these addresses make, in any order."""
    return zlib.crc32(" ".join(sorted(set(names))).encode())


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:  # not Linux, or not ours to read
        return ""


def _ipv4(trie: str) -> List[str]:
    """Addresses of the kernel's routes to this machine itself."""
    found = re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", trie)
    return [address for address in found if not address.startswith("127.")]


def _ipv6(table: str) -> List[str]:
    """Addresses of a table `address index length scope flags interface`."""
    rows = [line.split() for line in table.splitlines()]
    return [row[0] for row in rows if len(row) == 6 and _lasts(int(row[3], 16), int(row[4], 16)) and row[5] != "lo"]


def _lasts(scope: int, flags: int) -> bool:
    return scope != _LINK_LOCAL and not flags & _TEMPORARY

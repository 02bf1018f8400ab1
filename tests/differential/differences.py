"""Every known difference between the router before a memcached and that memcached, with its reason as the README's Limits
give it; `where` matches the streams that may be answered differently, each example is one that is."""

import re
from typing import NamedTuple, Pattern, Tuple


class Difference(NamedTuple):
    """One row."""

    reason: str
    where: Pattern[bytes]
    examples: Tuple[bytes, ...]


HOST_ONLY = (b"cache_memlimit", b"extstore", b"lru", b"lru_crawler", b"refresh_certs", b"slabs", b"watch")

DIFFERENCES = (
    Difference(
        "`ma` with `N` and `q` says nothing of an item that it makes: the host's answer is that of a hit.",
        re.compile(rb"ma (?=[^\n]* N)[^\n]* q"),
        (b"ma @a N0 q\r\n", b"ma @a q v N0 J7\r\n"),
    ),
    Difference(
        "`gat` with a key of more than 250 bytes touches nothing; memcached touches the keys before that one.",
        re.compile(rb"gats? [^\n]*[^ \n]{251}"),
        (b"set @a 0 0 1\r\nx\r\ngat 100 @a %b\r\nmg @a t\r\n" % (b"k" * 251),),
    ),
    Difference(
        "`cache_memlimit`, `extstore`, `lru`, `lru_crawler`, `refresh_certs`, `slabs` and `watch` are answered with "
        "`ERROR`: they are about one host, not about the cache.",
        re.compile(rb"\b(?:%b)\b" % b"|".join(HOST_ONLY)),
        (b"cache_memlimit 64\r\n", b"extstore item_age 5\r\n", b"lru mode segmented\r\n", b"lru_crawler sleep 100\r\n",
         b"refresh_certs\r\n", b"slabs automove 0\r\n", b"watch noreply\r\n"),
    ),
    Difference(
        "`stats cachedump`, `stats sizes_enable` and `stats sizes_disable` are answered with `ERROR`: where the host's "
        "answer ends cannot be told, for it may hold any bytes, or has no `END`.",
        re.compile(rb"\bstats +(?:cachedump|sizes_enable|sizes_disable)\b"),
        (b"stats cachedump 1 1\r\n", b"stats sizes_enable\r\nmn\r\n", b"stats sizes_disable\r\nmn\r\n"),
    ),
    Difference(
        "A `get` of more than 1 MB closes the connection.",
        re.compile(rb"gets? [^\n]{%d}" % ((1 << 20) - 5)),
        (b"get" + b" @a" * (1 << 19) + b"\r\n",),
    ),
    Difference(
        "A connection that begins with the byte 0x80 speaks the binary protocol to memcached; here such a request gets an "
        "error in that protocol, which says what to do, and the connection closes.",
        re.compile(rb"\A\x80"),
        (b"\x80\r\n",),
    ),
)  # fmt: skip

# What memcached itself leaves to how the bytes fell into its reads.
CHANCES = (
    "memcached loses answers to commands pipelined before a get with a key of more than 250 bytes, before a line at which "
    "it hangs up, and before the end of a stream inside a data block; the router gives them.",
    "A line of more than 2048 bytes that is no `get` closes memcached's connection when it comes in pieces; the router may "
    "close when it comes at once, too, and does so where the host would have to take it: `gat`, `stats`, meta commands.",
)


def known(data: bytes) -> bool:
    """Whether the answers to this stream may differ."""
    return any(difference.where.search(data) for difference in DIFFERENCES)

"""Every known difference between the router before a memcached and that memcached, with its reason as the README's Limits
give it; `where` matches the streams that may be answered differently, each example is one that is."""

import re
from typing import NamedTuple, Pattern, Tuple


class Difference(NamedTuple):
    """One row."""

    reason: str
    where: Pattern[bytes]
    examples: Tuple[bytes, ...]
    followed: bool = False  # the reference does the same (lossless.course): all else in such a stream is compared


_STORE = rb"\b(?:set|add|replace|append|prepend|cas) +"
_WIDE = (  # of more than 32 bits, or with zeros before it
    rb"[^ \n]*(?:[5-9]\d{9}|4[3-9]\d{8}|429[5-9]\d{6}|4294(?:9[7-9]\d{4}|96(?:[89]\d{3}|7(?:[3-9]\d\d|29[6-9])))|\d{11}|(?<=-)\d{10})"
)
_BASE64 = rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
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
        "`stats cachedump`, `stats detail dump`, `stats sizes_enable` and `stats sizes_disable` are answered with `ERROR`: "
        "where the host's answer ends cannot be told, for it may hold any bytes, or has no `END`.",
        re.compile(rb"\bstats +(?:cachedump|detail +dump|sizes_enable|sizes_disable)\b"),
        (b"stats cachedump 1 1\r\n", b"stats detail dump\r\n", b"stats sizes_enable\r\nmn\r\n", b"stats sizes_disable\r\nmn\r\n"),
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
    Difference(
        "The data of a store that is refused is swallowed, and where its length cannot be read, the connection closes: so "
        "does memcached 1.6.45, but 1.6.18 takes the data for commands.",
        re.compile(_STORE + rb"|\bms\b"),
        (b"set @a x 0 12\r\nset @b 0 0 1\r\nmn\r\n", b"set %b 0 0 4 noreply\r\nmn\r\n\r\n" % (b"k" * 251), b"ms @a x\r\nmn\r\n",
         b"cas @a 0 0 2\r\nmn\r\nmn\r\n", b"ms @a 2%b\r\nmn\r\nmn\r\n" % (b" v" * 17), b"ms @a\0b 9\r\nmn\r\n"),
        followed=True,
    ),
    Difference(
        "A store whose client flags have more than 32 bits, or whose length has, is refused, as by memcached 1.6.45; 1.6.18 "
        "cuts such a number.",
        re.compile(_STORE + rb"[^ \n]+ +(?:[^ \n]+ +[^ \n]+ +)?%b|\bms +[^ \n]+ +%b|\bms [^\n]* F%b" % (_WIDE, _WIDE, _WIDE)),
        (b"set @a 4294967296 0 1\r\nx\r\n", b"set @a 0 0 4294967297\r\nx\r\n", b"ms @a 1 F4294967296\r\nx\r\n"),
    ),
    Difference(
        "A store whose data does not end where its length says never reaches a host: `CLIENT_ERROR bad data chunk`, also where "
        "memcached would say that it is too large.",
        re.compile(_STORE + rb"[^\n]* \d{7}\r\nx*(?!x|\r\n)"),
        (b"set @a 0 0 1048576\r\n" + b"x" * 1048578 + b"mn\r\n",),
    ),
    Difference(
        "A meta command with `b` whose key is no base64 is refused; memcached 1.6.18 reads of it what it can.",
        re.compile(rb"\bm[gsdae] +(?!%b[ \r\n])[^ \n]+[^\n]* b" % _BASE64),
        (b"mg @Zm!9v b k\r\n", b"ms @Zg==Zg== 1 b\r\nx\r\n"),
    ),
    Difference(
        "`mg` with `b` and `k` names the key in base64; memcached 1.6.18 puts its bytes into the answer, whatever they are, where "
        "the item was made without `b`, or by `N`.",
        re.compile(rb"\bmg (?=[^\n]* b)[^\n]* k"),
        (b"mg @Zm9v b k N1000\r\n",),
    ),
    Difference(
        "`me` with `b` and a key that stands for blanks or control characters is refused: memcached 1.6.18 puts its bytes into "
        "the answer.",
        re.compile(rb"\bme [^\n]* b"),
        (b"me @AAAA b\r\n",),
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
    return any(row.where.search(data) for row in DIFFERENCES if not row.followed)

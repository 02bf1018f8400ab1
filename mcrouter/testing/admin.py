"""The commands that control the memory, threads and log of a host. They are parsed and answered, but have no effect."""

import re
from typing import Callable, Dict, Optional, Sequence
from urllib.parse import quote_from_bytes

from .reply import BAD_FORMAT, ERROR
from .store import Store, size_of
from .words import i32, u32

CLASS = 1  # the only slab class: it has every item
CLASSES = 64
_OK = b"OK\r\n"
_BAD_CLASS = b"BADCLASS invalid class id\r\n"
_MEMORY_LEAST, _MEMORY_MOST = 8, 1000000000  # MB that cache_memlimit takes
_SLEEP_MOST = 1000000  # microseconds
_WATCHED = {b"fetchers", b"mutations", b"evictions", b"connevents", b"proxyreqs", b"proxyevents", b"proxyuser",
            b"rawcmds"}  # fmt: skip
_EXTSTORE = {b"item_size", b"item_age", b"low_ttl", b"recache_rate", b"compact_under", b"drop_under", b"max_sleep",
             b"drop_unread"}  # fmt: skip
_FLOAT = re.compile(rb"-?(\d+\.?\d*|\.\d+)\Z")
_METADUMP = b"key=%b exp=%d la=%d cas=%d fetch=%b cls=%d size=%d\n"

Words = Sequence[bytes]


def is_watch(words: Words) -> bool:
    """Returns whether a line is a valid `watch`, after which the connection gets only log lines."""
    return words[0] == b"watch" and set(words[1:]) <= _WATCHED


class Admin:
    """Runs the commands that concern the host itself."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._commands: Dict[bytes, Callable[[Words], bytes]] = {
            b"verbosity": self._verbosity,
            b"cache_memlimit": self._memory_limit,
            b"lru": self._lru,
            b"lru_crawler": self._crawler,
            b"slabs": self._slabs,
            b"extstore": self._extstore,
            b"watch": lambda words: _OK if is_watch(words) else ERROR,
            b"refresh_certs": lambda words: b"Error TLS not enabled\r\n",
            b"shutdown": lambda words: b"ERROR: shutdown not enabled\r\n",
        }

    def run(self, words: Words, alone: bool) -> Optional[bytes]:
        """Returns the answer to a line; None if its verb is not one of these. `alone`: no answer waits to be sent."""
        command = self._commands.get(words[0])
        if command is None:
            return None
        if not alone and (words[0] == b"watch" or words[:2] == [b"lru_crawler", b"metadump"]):
            answer = b"ERROR cannot pipeline other commands before %b\r\n" % words[words[0] != b"watch"]
        else:
            answer = command(words)
        return b"" if words[-1] == b"noreply" and _heeds_noreply(words) else answer

    def _verbosity(self, words: Words) -> bytes:
        if not 2 <= len(words) <= 3:
            return ERROR
        return BAD_FORMAT if u32(words[1]) is None else _OK

    def _memory_limit(self, words: Words) -> bytes:
        megabytes = u32(words[1]) if 2 <= len(words) <= 3 else None
        if megabytes is None:
            return ERROR
        if megabytes < _MEMORY_LEAST:
            return b"MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n"
        if megabytes > _MEMORY_MOST:
            return b"MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes\r\n"
        self._store.byte_max = megabytes << 20
        return _OK

    def _lru(self, words: Words) -> bytes:
        what = words[1:2]
        if what == [b"mode"] and words[2:3] in ([b"flat"], [b"segmented"]):
            return _OK
        if what == [b"temp_ttl"] and len(words) > 2 and i32(words[2]) is not None:
            return _OK
        if what != [b"tune"] or len(words) < 6:
            return ERROR
        hot, warm = u32(words[2]), u32(words[3])
        if hot is None or warm is None or not (_FLOAT.match(words[4]) and _FLOAT.match(words[5])):
            return ERROR
        if hot + warm > 80:
            return b"ERROR hot and warm pcts must not exceed 80\r\n"
        if min(float(words[4]), float(words[5])) <= 0:
            return b"ERROR hot/warm age factors must be greater than 0\r\n"
        return _OK

    def _slabs(self, words: Words) -> bytes:
        if words[1:2] == [b"reassign"] and len(words) == 4:
            return _reassigned(i32(words[2]), i32(words[3]))
        if words[1:2] != [b"automove"] or len(words) < 3:
            return ERROR
        if words[2] == b"ratio":
            return _OK if len(words) > 3 and _FLOAT.match(words[3]) else ERROR
        level = u32(words[2])
        return BAD_FORMAT if level is None else _OK if level < 3 else ERROR

    def _extstore(self, words: Words) -> bytes:
        if words[1:2] == [b"free_memchunks"]:
            numbers = [u32(word) for word in words[2:4]]
            return _OK if len(numbers) == 2 and None not in numbers and (numbers[0] or 0) < CLASSES else ERROR
        if len(words) < 3:
            return ERROR
        if words[1] == b"max_frag":
            return _OK if _FLOAT.match(words[2]) else ERROR
        return _OK if words[1] in _EXTSTORE and u32(words[2]) is not None else ERROR

    def _crawler(self, words: Words) -> bytes:
        if len(words) == 2 and words[1] == b"enable":
            before, self._store.crawls = self._store.crawls, True
            return b"ERROR failed to start lru crawler thread\r\n" if before else _OK
        if len(words) == 2 and words[1] == b"disable":
            self._store.crawls = False
            return _OK
        if len(words) != 3 or words[1] not in (b"crawl", b"metadump", b"sleep", b"tocrawl"):
            return ERROR
        if words[1] in (b"crawl", b"metadump"):
            return self._crawl(words[1], words[2]) if self._store.crawls else b"CLIENT_ERROR lru crawler disabled\r\n"
        number = u32(words[2])
        if number is None:
            return BAD_FORMAT
        if words[1] == b"sleep" and number > _SLEEP_MOST:
            return b"CLIENT_ERROR sleep must be one second or less\r\n"
        return _OK

    def _crawl(self, verb: bytes, what: bytes) -> bytes:
        if what == b"hash" and verb == b"crawl":
            return b"ERROR an unknown error happened\r\n"
        everything = what in (b"all", b"hash")
        classes = [] if everything else [u32(word) or 0 for word in what.split(b",")]
        if not all(0 < number < CLASSES for number in classes):
            return _BAD_CLASS
        if verb == b"crawl":
            return _OK
        return b"".join([*(self._metadump() if everything or CLASS in classes else ()), b"END\r\n"])

    def _metadump(self) -> Sequence[bytes]:
        lines = []
        for key, item in self._store.living():
            name, fetched = quote_from_bytes(key, safe="").encode(), b"yes" if item.fetched else b"no"
            size = size_of(key, item.value, item.flags)
            lines.append(_METADUMP % (name, item.expires or -1, item.time, item.cas, fetched, CLASS, size))
        return lines


def _heeds_noreply(words: Words) -> bool:
    """Returns whether memcached obeys the `noreply` of this line."""
    if words[0] == b"slabs":
        return words[1] == b"automove" and len(words) > 2
    if words[0] in (b"verbosity", b"cache_memlimit"):
        return len(words) < 4
    return words[0] in (b"lru", b"extstore", b"watch")


def _reassigned(source: Optional[int], target: Optional[int]) -> bytes:
    if source is None or target is None:
        return BAD_FORMAT
    if source == target:
        return b"SAME src and dst class are identical\r\n"
    if not (0 <= source < CLASSES and 0 <= target < CLASSES):
        return b"BADCLASS invalid src or dst class id\r\n"
    return b"NOSPARE source class has no spare pages\r\n"

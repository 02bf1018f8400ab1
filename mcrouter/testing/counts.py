"""The counters of a host, under memcached's own names (its protocol.txt, "General-purpose statistics")."""

from typing import Dict, List

COUNTED = (
    "total_connections",
    *("cmd_get", "cmd_set", "cmd_flush", "cmd_touch", "cmd_meta"),
    *("get_hits", "get_misses", "get_expired", "get_flushed", "delete_misses", "delete_hits"),
    *("incr_misses", "incr_hits", "decr_misses", "decr_hits", "cas_misses", "cas_hits", "cas_badval"),
    *("touch_hits", "touch_misses", "store_too_large", "store_no_memory"),
    *("bytes_read", "bytes_written", "total_items"),
)
GET, HIT, SET, DELETE = range(4)
"""The counters of `stats detail`, which counts classic commands by the part of a key before the first colon."""


class Counts(Dict[str, int]):
    """The counters in COUNTED, and those of `stats detail` while that is on."""

    def __init__(self) -> None:
        super().__init__()
        self.detailed = False
        self.prefixes: Dict[bytes, List[int]] = {}
        self.reset()

    def reset(self) -> None:
        """Sets all counters to 0, as `stats reset` does."""
        self.update(dict.fromkeys(COUNTED, 0))
        self.prefixes.clear()

    def looked_up(self, kind: str, found: bool) -> None:
        """Counts a hit or a miss; `kind` is get, touch, delete, incr or decr."""
        self[f"{kind}_hits" if found else f"{kind}_misses"] += 1

    def detail(self, what: int, key: bytes) -> None:
        """Counts a command for `stats detail`, if that is on."""
        prefix, colon, _ = key.partition(b":")
        if self.detailed and colon:
            self.prefixes.setdefault(prefix, [0] * 4)[what] += 1

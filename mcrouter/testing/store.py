"""The items of an embedded host: a dict with memcached's rules for expiry, age, cas uniques and sizes. No protocol."""

import time
from typing import Callable, Dict, Iterator, Optional, Tuple

from .counts import Counts
from .reply import NO_MEMORY, TOO_LARGE

_MONTH = 30 * 24 * 3600  # seconds; a larger exptime is a Unix time
_BEFORE = 61  # how many seconds ago an item with a negative exptime has expired
_FIXED = 48 + 8 + 1  # bytes that memcached needs for any item, its cas unique and its key's end


class Item:
    """A value and its metadata. Times are whole Unix seconds; with `expires` 0 it never expires."""

    __slots__ = ("binary", "cas", "expires", "fetched", "flags", "stale", "time", "token_sent", "value")

    def __init__(self, value: bytes, flags: int, expires: int) -> None:
        self.value, self.flags, self.expires = value, flags, expires
        self.cas = self.time = 0
        self.fetched = self.stale = self.token_sent = self.binary = False


def size_of(key: bytes, value: bytes, flags: int) -> int:
    """Returns the bytes that memcached needs for an item."""
    return _FIXED + len(key) + (4 if flags else 0) + len(value) + 2


class Store:
    """A dict of items. `item_max`: the most bytes of an item; `byte_max`: those of all items (0: no limit); `clock()`
    returns Unix time.

    No item is ever evicted: if there is no room left, or if `full` is set, stores are refused, as by a memcached that
    was started with -M.
    """

    def __init__(
        self, item_max: int = 1 << 20, byte_max: int = 0, clock: Callable[[], float] = time.time
    ) -> None:  # fmt: skip
        self.item_max, self.byte_max = item_max, byte_max
        self.items: Dict[bytes, Item] = {}
        self.counts = Counts()
        self.full = False
        self.crawls = True
        """Whether `lru_crawler` is enabled."""
        self.knows_sizes = False
        """Whether `stats sizes` is enabled."""
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        """Forgets items, counters and cas uniques, as a new process."""
        self.items.clear()
        self.counts = Counts()
        self.bytes = 0
        self.started = self.now()
        self._cas = 0
        self._flushed_at = 0  # items last used then or earlier are gone; 0: never flushed
        self._flushed_cas = 0  # items with a lower cas unique are gone

    def now(self) -> int:
        """Returns the time in whole seconds, as memcached counts it."""
        return int(self._clock())

    def expires(self, exptime: int) -> int:
        """Returns when an item with this exptime of the protocol expires."""
        if exptime < 0:
            return self.now() - _BEFORE
        return exptime if exptime > _MONTH or exptime == 0 else self.now() + exptime

    def find(self, key: bytes) -> Optional[Item]:
        """Returns the item of a key, if it has not expired."""
        item = self.items.get(key)
        if item is None:
            return None
        ended = "get_flushed" if self._is_flushed(item) else "get_expired" if 0 < item.expires <= self.now() else ""
        if not ended:
            return item
        self.counts[ended] += 1
        self.drop(key)
        return None

    def _is_flushed(self, item: Item) -> bool:
        if not self._flushed_at or self._flushed_at > self.now():
            return False
        return item.time <= self._flushed_at or item.cas < self._flushed_cas

    def read(self, key: bytes) -> Optional[Item]:
        """Returns the item of a key, if it has not expired, and marks it as fetched."""
        item = self.find(key)
        if item is not None:
            self.bump(item)
        return item

    def living(self) -> Iterator[Tuple[bytes, Item]]:
        """Yields the keys and items that have not expired."""
        now = self.now()
        for key, item in self.items.items():
            if not (self._is_flushed(item) or 0 < item.expires <= now):
                yield key, item

    def bump(self, item: Item) -> None:
        """Marks an item as fetched now."""
        item.fetched, item.time = True, self.now()

    def refusal(self, key: bytes, length: int, flags: int) -> bytes:
        """Returns the error line for a value of that length; empty if there is room for it beside the old value."""
        size = size_of(key, b"", flags) + length
        if size > self.item_max:
            self.counts["store_too_large"] += 1
            return TOO_LARGE
        if self.full or (self.byte_max and self.bytes + size > self.byte_max):
            self.counts["store_no_memory"] += 1
            return NO_MEMORY
        return b""

    def put(self, key: bytes, item: Item) -> bool:
        """Stores an item instead of the key's old one; returns False, and does nothing, if there is no room left."""
        old = self.items.get(key)
        grown = size_of(key, item.value, item.flags) - (size_of(key, old.value, old.flags) if old else 0)
        if self.byte_max and self.bytes + grown > self.byte_max:
            return False
        self.bytes += grown
        self.counts["total_items"] += 1
        self.items[key] = item
        item.time = self.now()
        self.renew(item)
        return True

    def renew(self, item: Item) -> None:
        """Gives an item a new cas unique."""
        self._cas += 1
        item.cas = self._cas

    def drop(self, key: bytes) -> None:
        """Forgets a key."""
        item = self.items.pop(key, None)
        if item is not None:
            self.bytes -= size_of(key, item.value, item.flags)

    def flush(self, delay: int) -> None:
        """Runs flush_all: items stored before the time `delay` seconds from now (0 or less: before now) are gone."""
        self._flushed_at = (self.expires(delay) if delay > 0 else self.now()) - 1
        if self._flushed_at <= self.now():
            self._cas += 1
            self._flushed_cas = self._cas

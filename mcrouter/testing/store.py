"""What an embedded host remembers: a dict with memcached's rules of life, age, cas uniques and sizes. No protocol."""

import time
from typing import Callable, Dict, Optional

_MONTH = 30 * 24 * 3600  # seconds; a larger exptime is a Unix time
_BEFORE = 61  # seconds that a negative exptime lies back
_FIXED = 48 + 8 + 1  # bytes that memcached needs for any item, its cas unique and its key's end


class Item:
    """A value and what memcached knows about it. Times are whole Unix seconds; `expires` 0 is never."""

    __slots__ = ("binary", "cas", "expires", "fetched", "flags", "stale", "time", "token_sent", "value")

    def __init__(self, value: bytes, flags: int, expires: int) -> None:
        self.value, self.flags, self.expires = value, flags, expires
        self.cas = self.time = 0
        self.fetched = self.stale = self.token_sent = self.binary = False


def size_of(key: bytes, value: bytes, flags: int) -> int:
    """Bytes that memcached needs for an item."""
    return _FIXED + len(key) + (4 if flags else 0) + len(value) + 2


class Store:
    """A dict of items. `item_max` bytes an item; `byte_max` bytes in all (0: no limit); `clock` gives Unix time."""

    def __init__(
        self, item_max: int = 1 << 20, byte_max: int = 0, clock: Callable[[], float] = time.time
    ) -> None:  # fmt: skip
        self.item_max, self.byte_max = item_max, byte_max
        self.items: Dict[bytes, Item] = {}
        self.bytes = 0
        self._clock = clock
        self._cas = 0
        self._flushed_at = 0  # items last used then or earlier are gone; 0: never flushed
        self._flushed_cas = 0  # items with a lower cas unique are gone

    def now(self) -> int:
        """The time, in whole seconds as memcached counts."""
        return int(self._clock())

    def expires(self, exptime: int) -> int:
        """When an item with this exptime of the protocol ends."""
        if exptime < 0:
            return self.now() - _BEFORE
        return exptime if exptime > _MONTH or exptime == 0 else self.now() + exptime

    def find(self, key: bytes) -> Optional[Item]:
        """The living item of a key."""
        item = self.items.get(key)
        if item is None or self._alive(item):
            return item
        self.drop(key)
        return None

    def _alive(self, item: Item) -> bool:
        now = self.now()
        if item.expires and item.expires <= now:
            return False
        if not self._flushed_at or self._flushed_at > now:
            return True
        return item.time > self._flushed_at and item.cas >= self._flushed_cas

    def read(self, key: bytes) -> Optional[Item]:
        """The living item of a key, which counts as fetched from now on."""
        item = self.find(key)
        if item is not None:
            self.bump(item)
        return item

    def bump(self, item: Item) -> None:
        """Marks an item as fetched now."""
        item.fetched, item.time = True, self.now()

    def fits(self, key: bytes, length: int, flags: int) -> bool:
        """Whether a value of that length is not too large for one item."""
        return size_of(key, b"", flags) + length <= self.item_max

    def put(self, key: bytes, item: Item) -> bool:
        """Links an item in place of the key's old one; False, and nothing done, when there is no room left."""
        old = self.items.get(key)
        grown = size_of(key, item.value, item.flags) - (size_of(key, old.value, old.flags) if old else 0)
        if self.byte_max and self.bytes + grown > self.byte_max:
            return False
        self.bytes += grown
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
        """flush_all: everything stored before `delay` seconds from now (before now when it is 0 or less) is gone."""
        self._flushed_at = (self.expires(delay) if delay > 0 else self.now()) - 1
        if self._flushed_at <= self.now():
            self._cas += 1
            self._flushed_cas = self._cas

"""incr, decr and ma on a store: the arithmetic of numbers in items."""

from typing import Optional, Tuple

from .store import Item, Store
from .words import U64, u64

NOT_FOUND, NON_NUMERIC, EXISTS, DONE = range(4)  # outcomes of `add`


def add(store: Store, key: bytes, delta: int, down: bool, cas: int = 0) -> "Tuple[int, Optional[Item], bytes]":
    """Adds to the number of a key, modulo 2**64, or subtracts, down to 0. Returns (outcome, the item if done, the new
    number as text).

    `cas`, if not 0, must equal that of the item. A number that fits the old length stays in its item, padded with
    blanks; a longer one gets a new item.
    """
    item = store.find(key)
    kind = "decr" if down else "incr"
    if item is None:
        store.counts.looked_up(kind, False)
        return NOT_FOUND, None, b""
    if not item.value:
        return NON_NUMERIC, None, b""
    if cas and cas != item.cas:
        return EXISTS, None, b""
    number = u64(item.value.partition(b"\0")[0])
    if number is None:
        return NON_NUMERIC, None, b""
    store.counts.looked_up(kind, True)
    text = b"%d" % (max(0, number - delta) if down else (number + delta) % U64)
    if len(text) <= len(item.value):
        item.value = text.ljust(len(item.value))
        store.renew(item)
    else:
        item = Item(text, item.flags, item.expires)
        store.put(key, item)
    return DONE, item, text

"""The journal of a host: the keys that may be stale there, for recovery.py to make up for."""

from itertools import islice
from typing import TYPE_CHECKING, Callable, Dict, List, Tuple

from ...proto.commands import ADMIN, BY_NAME, COMMANDS

if TYPE_CHECKING:
    from ...proto.request import Request

IGNORE, REPLAY, FLUSH = "ignore", "replay", "flush"

_BATCH = 512  # keys deleted with one write
_TRIES = 3  # at a batch of the journal; then the host is flushed instead: a key must not keep it away for ever
_FLUSH_ALL = BY_NAME["flush_all"].number


class Journal:
    """The keys of a host that may be stale there: at most `limit`; with more of them it is `overflowed`, and the host
    must be flushed.

    With `mode` FLUSH no keys are kept. `changed(keys)` is called with their number whenever that may have changed.
    """

    def __init__(self, mode: str, changed: Callable[[int], None] = lambda keys: None, limit: int = 0) -> None:
        self.mode = mode
        self.limit = limit
        self._changed = changed
        self._keys: Dict[bytes, None] = {}  # in the order in which they came
        self._failures = 0  # in a row, to make up for what was taken
        self.overflowed = False

    def __bool__(self) -> bool:
        return self.overflowed or bool(self._keys)

    def note(self, request: "Request") -> None:
        """Records a request that the host may not have done."""
        kind = request.commands[0]
        if COMMANDS[kind].kind == ADMIN:
            if kind == _FLUSH_ALL:
                self.overflow()
            return
        self._add(request.names())

    def _add(self, keys: List[bytes]) -> None:
        if keys and not self.overflowed:
            self._keys.update(dict.fromkeys(keys))
            if self.mode == FLUSH or len(self._keys) > self.limit:
                self.overflow()
            self._changed(len(self._keys))

    def overflow(self) -> None:
        """Records that all that the host has may be stale."""
        self.overflowed = True
        self._keys = {}
        self._changed(0)

    def take(self) -> "Tuple[bool, List[bytes]]":
        """Takes out what is to be made up for next: whether by flush_all, and else the keys to delete. Call `give_back`
        with it when that fails, else `count_recovery`."""
        taken = self.overflowed, [] if self.overflowed else list(islice(self._keys, _BATCH))
        self.overflowed = False
        for delete in taken[1]:
            del self._keys[delete]
        self._changed(len(self._keys))
        return taken

    def give_back(self, taken: "Tuple[bool, List[bytes]]") -> None:
        """Puts back what was taken, and could not be made up for."""
        self._failures += 1
        if taken[0] or self._failures >= _TRIES:
            self.overflow()
        self._add(taken[1])

    def count_recovery(self) -> None:
        """Notes that what was taken is made up for."""
        self._failures = 0

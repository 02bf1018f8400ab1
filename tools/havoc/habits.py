"""Kinds of clients, and the batches that they send."""

from random import Random
from typing import Callable, List, NamedTuple, Sequence, Tuple

from .keys import Key
from .operations import Append, Delete, Get, Increment, Operation, Store

KB, MB = 1 << 10, 1 << 20
_MOST_POSSIBLE = 8  # values of a key; then it is set anew
_COUNTERS = 3  # one key in so many holds a number


class Habits(NamedTuple):
    """What a client is like."""

    name: str
    keys: int
    pipeline: int  # requests of one batch, at most
    smallest: int  # bytes that a value has besides what it says of itself
    largest: int
    pause: float  # seconds between batches, at most
    stays: int = 0  # batches before it leaves and another comes in its place; 0: for ever
    aborts: bool = False  # it leaves in the midst of a request, and waits for no answer
    may_lose: bool = False  # the router may close its connection when a host dies in the midst of a large value


STEADY = Habits("steady", 12, 40, 1, 300, 0.04)
SINGLE = Habits("single", 6, 1, 1, 2000, 0.01)
BUSY = Habits("busy", 30, 100, 1, 3000, 0.05)
LARGE = Habits("large", 3, 2, MB + MB // 8, 3 * MB, 0.3, may_lose=True)
VISITOR = Habits("visitor", 4, 4, 1, 500, 0.01, stays=3)
FLEETING = Habits("fleeting", 4, 20, 1, 30 * KB, 0.02, stays=2, aborts=True)
BREAKING = Habits("breaking", 2, 1, MB + MB // 8, 2 * MB, 0.3, stays=1, aborts=True, may_lose=True)

CHECKING = [STEADY] * 15 + [SINGLE] * 5
MIXED = [STEADY] * 6 + [SINGLE] * 4 + [BUSY] * 2 + [LARGE] * 2 + [VISITOR] * 3 + [FLEETING] * 3 + [BREAKING]

CROWD = [*MIXED, *[BUSY] * 2, *[LARGE] * 3, *[BREAKING] * 2]  # asks for more memory at once than MIXED ever will


def make_keys(habits: Habits, client: int, stay: str) -> List[Key]:
    """The keys of a client's stay. Nobody ever had the same ones: what an earlier stay left open is not known here."""
    keys = []
    for place in range(habits.keys):
        counts = place % _COUNTERS == _COUNTERS - 1 and habits.largest < MB
        name = b"%b.%d.%b.%d" % (b"n" if counts else b"t", client, stay.encode(), place)
        keys.append(Key(name, client, client * 1000 + place, counts))
    return keys


class Batches:
    """Draws what a client does next. `others` are keys of other clients."""

    def __init__(self, habits: Habits, number: int, keys: Sequence[Key], others: Sequence[Key], random: Random) -> None:
        self._habits, self._number, self._keys, self._others, self._random = habits, number, keys, others, random
        self._kinds: List[Tuple[int, Callable[[Key], Operation]]] = [
            (30, self._store),
            (34, lambda key: Get([key], number)),
            (10, self._get_many),
            (6, self._get_others),
            (8, Delete),
            (10, self._change),
            (2, lambda key: Store(key, self._size(), quiet=True)),
        ]

    def next(self) -> List[Operation]:
        """The requests of one batch."""
        draw = self._random
        most = 1 if draw.random() < 0.3 else self._habits.pipeline
        makers = draw.choices([maker for _, maker in self._kinds], [w for w, _ in self._kinds], k=draw.randint(1, most))
        return [self._one(maker) for maker in makers]

    def _one(self, maker: Callable[[Key], Operation]) -> Operation:
        key = self._random.choice(self._keys)
        return maker(key) if len(key.possible) < _MOST_POSSIBLE else self._store(key)

    def _size(self) -> int:
        return self._random.randint(self._habits.smallest, self._habits.largest)

    def _store(self, key: Key) -> Operation:
        return Store(key, self._size())

    def _change(self, key: Key) -> Operation:
        if key.counts:
            return Increment(key)
        if self._habits.largest >= MB or any(len(value) > self._habits.largest * 5 for value in key.possible):
            return self._store(key)
        return Append(key, self._size())

    def _get_many(self, key: Key) -> Operation:
        return Get(self._random.sample(self._keys, self._random.randint(1, len(self._keys))), self._number)

    def _get_others(self, key: Key) -> Operation:
        if not self._others:
            return Get([key], self._number)
        return Get(self._random.sample(self._others, min(len(self._others), self._random.randint(1, 6))), self._number)

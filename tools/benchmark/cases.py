"""The named loads, and what they send: keys, values derived from them, whole batches with the replies that are right.

A value repeats its key's number and the name of its key space, so that no key's value is another's.
"""

import random
from typing import List, NamedTuple

MB = 1 << 20
_MOST_KEYS, _MOST_STORED = 10000, 64 * MB  # of one key space
_MOST_DRAWN, _MOST_PREPARED, _FEWEST = 40000, 48 * MB, 16  # keys, bytes and batches of one plan


class Case(NamedTuple):
    """One load. A client sends `pipeline` requests at once, and the next batch when all are answered."""

    name: str
    clients: int
    pipeline: int
    smallest: int  # bytes of a value
    largest: int
    gets: int  # percent; the others are sets
    keys: int  # of one get


CASES = {
    case.name: case
    for case in (
        Case("unpipelined-100", 32, 1, 100, 100, 90, 1),
        Case("unpipelined-1k", 128, 1, 1024, 1024, 50, 1),
        Case("pipelined-100", 16, 64, 100, 100, 90, 1),
        Case("pipelined-1k", 16, 64, 1024, 1024, 50, 1),
        Case("10k", 16, 1, 10240, 10240, 50, 1),
        Case("50k", 4, 4, 51200, 51200, 50, 1),
        Case("multiget", 16, 1, 100, 100, 100, 50),
        Case("pipelined-mixed", 16, 64, 10, 4096, 90, 1),
        Case("multiget-mixed", 16, 1, 10, 4096, 100, 50),
        Case("gets", 32, 1, 100, 100, 100, 1),
        Case("sets", 32, 1, 100, 100, 0, 1),
        Case("pipelined-gets", 16, 64, 100, 100, 100, 1),
        Case("pipelined-sets", 16, 64, 100, 100, 0, 1),
    )
}


class Item(NamedTuple):
    """A key and its one value."""

    key: bytes
    value: bytes

    def set(self, noreply: bytes = b"") -> bytes:
        """The request that stores it."""
        return b"set %b 0 0 %d%b\r\n%b\r\n" % (self.key, len(self.value), noreply, self.value)

    def hit(self) -> bytes:
        """Its part of the reply to a get."""
        return b"VALUE %b 0 %d\r\n%b\r\n" % (self.key, len(self.value), self.value)


class Batch(NamedTuple):
    """What a client sends at once, and all that must come back."""

    request: bytes
    reply: bytes


def items(case: Case) -> List[Item]:
    """The key space of a case: the same for every case with the same sizes. Mixed sizes are spread evenly."""
    space = f"v{case.smallest}-{case.largest}".encode()
    sizes = random.Random(1)  # not of the run: what one run stored must be right in the next
    count = min(_MOST_KEYS, _MOST_STORED // ((case.smallest + case.largest) // 2))
    return [_item(space, number, sizes.randint(case.smallest, case.largest)) for number in range(count)]


def _item(space: bytes, number: int, size: int) -> Item:
    word = b"%d:%b;" % (number, space)
    return Item(b"%b_%d" % (space, number), (word * (size // len(word) + 1))[:size])


def batches(case: Case, space: List[Item], seed: int = 1) -> List[Batch]:
    """The plan of a case: random batches, as many as memory and patience allow; clients go round in it."""
    draw = random.Random(seed)
    size = case.pipeline * case.keys * (sum(len(item.value) for item in space) // len(space) + 64)
    count = max(_FEWEST, min(_MOST_DRAWN // (case.pipeline * case.keys), _MOST_PREPARED // size))
    return [_batch(case, space, draw) for _ in range(count)]


def _batch(case: Case, space: List[Item], draw: random.Random) -> Batch:
    requests: List[bytes] = []
    replies: List[bytes] = []
    for _ in range(case.pipeline):
        if draw.randrange(100) < case.gets:
            # distinct: memcached gives a key that is asked twice twice, and a router need not
            asked = draw.sample(space, min(case.keys, len(space)))
            requests.append(b"get %b\r\n" % b" ".join(item.key for item in asked))
            replies += [item.hit() for item in asked]
            replies.append(b"END\r\n")
        else:
            requests.append(draw.choice(space).set())
            replies.append(b"STORED\r\n")
    return Batch(b"".join(requests), b"".join(replies))

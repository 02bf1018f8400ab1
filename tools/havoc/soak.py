"""Rounds for minutes with clients of all kinds, and what they leave in the router's memory."""

import time
from typing import Callable, List, NamedTuple, Sequence, Tuple

from .habits import CROWD, MIXED
from .keys import Findings
from .load import Load
from .rounds import Rounds
from .router import Router

_BASE = 60.0  # seconds after which memory must not grow any more
_QUIET = 0.5  # seconds without clients before a look
_LOOKS = 3  # whose smallest counts
_WINDOW = 10  # rounds whose smallest counts: malloc keeps what a round with many large values has needed, for a while
MORE_RESIDENT, MORE_BYTES, MORE_DESCRIPTORS = 0.10, 2 << 20, 4  # allowed


class Sample(NamedTuple):
    """What the router's processes hold while it has no clients."""

    seconds: float
    round: int
    resident: int
    descriptors: int


def compare(samples: Sequence[Sample]) -> Tuple[bool, List[str]]:
    """Whether what the first rounds have left is as what the last have, and that in words."""
    window = min(_WINDOW, max(1, len(samples) // 2))
    (resident, resident_end), (descriptors, descriptors_end) = (
        [min(getattr(sample, field) for sample in part) for part in (samples[:window], samples[-window:])]
        for field in ("resident", "descriptors")
    )
    same = (
        resident_end <= resident * (1 + MORE_RESIDENT) + MORE_BYTES
        and descriptors_end <= descriptors + MORE_DESCRIPTORS
    )
    return same, [
        f"resident: {resident / 1e6:.1f} MB after {samples[0].seconds:.0f} s, {resident_end / 1e6:.1f} at the end",
        f"open descriptors: {descriptors} after {samples[0].seconds:.0f} s, {descriptors_end} at the end",
    ]


def soak(
    rounds: Rounds, router: Router, patience: float, seed: str, findings: Findings, minutes: float, first: int,
    say: Callable[[Sample], None],
) -> List[Sample]:  # fmt: skip
    """Plays rounds for so long; the samples since the first minute (since the first half, if there is no minute).

    Every round has clients of its own, so that none is connected while the router is looked at. What malloc keeps
    follows the most that was ever needed at once, so the first rounds have more clients than any later one.
    """
    begin = time.monotonic()
    base = min(_BASE, 60 * minutes / 2)
    samples: List[Sample] = []
    number = first
    while not samples or time.monotonic() < begin + 60 * minutes:
        early = time.monotonic() < begin + base
        with Load(CROWD if early else MIXED, router.port, patience, f"{seed}/{number}", findings) as load:
            rounds.play(number, load)
        rounds.renew()
        sample = _look(router, begin, number)
        if sample.seconds >= base or 60 * minutes <= sample.seconds:
            samples.append(sample)
        say(sample)
        number += 1
    return samples


def _look(router: Router, begin: float, number: int) -> Sample:
    """The smallest of several looks: a probe or a scrape may be under way at one."""
    looks = []
    for _ in range(_LOOKS):
        time.sleep(_QUIET / _LOOKS)
        looks.append((router.resident_bytes(), router.open_descriptors()))
    return Sample(time.monotonic() - begin, number, min(r for r, _ in looks), min(d for _, d in looks))

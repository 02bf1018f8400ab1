"""Computes rates, shares and percentiles from the counters of a host."""

import operator
from itertools import accumulate
from typing import NamedTuple, Optional, Sequence, Tuple

from ..counters.layout import BUCKETS_MS, SUM
from ..counters.reader import CounterReader

_NOTHING = (0.0,) * SUM


class Totals(NamedTuple):
    """The counters of a host: the `times` of answers by bucket of BUCKETS_MS (and above the last), `unanswered`
    requests, `errors` (including the unanswered requests), and the `hits` and `misses` of keys."""

    times: Tuple[float, ...] = _NOTHING
    unanswered: float = 0
    errors: float = 0
    hits: float = 0
    misses: float = 0

    @property
    def requests(self) -> float:
        """The number of requests, answered or not."""
        return sum(self.times) + self.unanswered

    def since(self, before: "Totals") -> "Totals":
        """Returns the difference to `before`; everything, if the counters have restarted."""
        if self.errors < before.errors or any(map(operator.lt, self.times, before.times)):
            return self
        times = tuple(map(operator.sub, self.times, before.times))
        return Totals(times, *map(operator.sub, self[1:], before[1:]))


class Figures(NamedTuple):
    """The figures of a span of time: `rate` per second, `error_rate` and `hit_rate` from 0 to 1, percentiles in ms;
    None if there were no requests."""

    rate: float
    error_rate: Optional[float]
    hit_rate: Optional[float]
    p50: Optional[float]
    p95: Optional[float]
    p99: Optional[float]


def figures(span: Totals, seconds: float) -> Figures:
    """Returns the figures for counters that were collected in so many seconds."""
    asked = span.requests
    looked_up = span.hits + span.misses
    quantiles = [percentile(span.times, part) for part in (0.5, 0.95, 0.99)]
    return Figures(
        asked / seconds if seconds > 0 else 0.0,
        span.errors / asked if asked else None,
        span.hits / looked_up if looked_up else None,
        *quantiles,
    )


def percentile(times: Sequence[float], part: float) -> Optional[float]:
    """Returns the milliseconds below which this part of all times is; None if there are none.

    Times are taken as evenly distributed within their bucket; those above the last bound count as that bound.
    """
    sums = list(accumulate(times))
    if not sums or not sums[-1]:
        return None
    wanted = part * sums[-1]
    for index, (count, upto) in enumerate(zip(times, sums)):
        if upto >= wanted and count:
            low = BUCKETS_MS[index - 1] if index else 0.0
            high = BUCKETS_MS[index] if index < len(BUCKETS_MS) else low
            return low + (high - low) * (wanted - (upto - count)) / count
    return None


def host_totals(counters: CounterReader, slot: int) -> Totals:
    """Returns the totals of a host over all event loops."""
    return Totals(
        counters.host_durations(slot),
        counters.host_unanswered(slot),
        counters.host_errors(slot),
        counters.total(counters.layout.hits[slot]),
        counters.total(counters.layout.misses[slot]),
    )

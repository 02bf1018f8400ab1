"""Computes rates, shares and percentiles from the counters of a host."""

import operator
from itertools import accumulate
from typing import Any, NamedTuple, Optional, Sequence, Tuple

from ..metrics.counters import STRIDE, SUM, Layout
from ..metrics.table import BUCKETS_MS
from ..proto.results import RESULTS

_NOTHING = (0.0,) * SUM
_NO = sorted(map(RESULTS.index, ("notstored", "exists", "notfound")))


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


def host_totals(layout: Layout, rows: Sequence[Any], slot: int) -> Totals:
    """Returns the totals of a host over all event loops."""
    errors, refused = _sum(rows, layout.errors[slot]), _sum(rows, layout.refused[slot])
    answered_no = _sum(rows, [layout.results[slot][result] for result in _NO])
    return Totals(
        _times(rows, (layout.upstream[slot], layout.direct[slot])),
        max(0.0, errors - (refused - answered_no)),
        errors,
        sum(row[layout.hits[slot]] for row in rows),
        sum(row[layout.misses[slot]] for row in rows),
    )


def client_requests(layout: Layout, rows: Sequence[Any]) -> float:
    """Returns the number of client requests that were answered."""
    return sum(_times(rows, (layout.request, *layout.direct)))


def _sum(rows: Sequence[Any], cells: Sequence[int]) -> float:
    """Returns the sum of adjacent cells over all rows."""
    return sum(sum(row[cells[0] : cells[-1] + 1]) for row in rows)


def _times(rows: Sequence[Any], tables: Sequence[Sequence[int]]) -> Tuple[float, ...]:
    """Returns the sum of the histograms of all commands. The sums run in C, and an empty block costs 2 us."""
    found = [0.0] * SUM
    for blocks in tables:
        for row in rows:
            cells = row[blocks[0] : blocks[-1] + STRIDE]
            if any(cells):
                for bucket in range(SUM):
                    found[bucket] += sum(cells[bucket::STRIDE])
    return tuple(found)

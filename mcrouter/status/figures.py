"""From a host's counters to what a person asks about it: how many, how well, how fast."""

import operator
from itertools import accumulate
from typing import Any, NamedTuple, Optional, Sequence, Tuple

from ..metrics.counters import STRIDE, SUM, Layout
from ..metrics.table import BUCKETS_MS
from ..proto.results import RESULTS

_NOTHING = (0.0,) * SUM
_NO = sorted(map(RESULTS.index, ("notstored", "exists", "notfound")))


class Totals(NamedTuple):
    """What has been counted for a host: the `times` of answers by bucket of BUCKETS_MS and above, `unanswered`
    requests, all that were `errors`, those among them too, and keys that were looked up."""

    times: Tuple[float, ...] = _NOTHING
    unanswered: float = 0
    errors: float = 0
    hits: float = 0
    misses: float = 0

    @property
    def requests(self) -> float:
        """How many it was asked, answered or not."""
        return sum(self.times) + self.unanswered

    def since(self, before: "Totals") -> "Totals":
        """What has come since; all of it, if the counters have begun anew."""
        if self.errors < before.errors or any(map(operator.lt, self.times, before.times)):
            return self
        times = tuple(map(operator.sub, self.times, before.times))
        return Totals(times, *map(operator.sub, self[1:], before[1:]))


class Figures(NamedTuple):
    """Of a span of time: `rate` a second, `error_rate` and `hit_rate` from 0 to 1, percentiles in ms; None where
    nothing was asked."""

    rate: float
    error_rate: Optional[float]
    hit_rate: Optional[float]
    p50: Optional[float]
    p95: Optional[float]
    p99: Optional[float]


def figures(span: Totals, seconds: float) -> Figures:
    """Of what was counted within so many seconds."""
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
    """The milliseconds below which this part of all was, as if it lay evenly within its bucket; None if there is none.
    Above the last bound it is that bound."""
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
    """Of a host, over all event loops."""
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
    """How many requests of clients have been answered."""
    return sum(_times(rows, (layout.request, *layout.direct)))


def _sum(rows: Sequence[Any], cells: Sequence[int]) -> float:
    """Of cells that lie side by side."""
    return sum(sum(row[cells[0] : cells[-1] + 1]) for row in rows)


def _times(rows: Sequence[Any], tables: Sequence[Sequence[int]]) -> Tuple[float, ...]:
    """The histograms of all commands added up. The sums run in C, and blocks in which nothing was counted cost 2 us."""
    found = [0.0] * SUM
    for blocks in tables:
        for row in rows:
            cells = row[blocks[0] : blocks[-1] + STRIDE]
            if any(cells):
                for bucket in range(SUM):
                    found[bucket] += sum(cells[bucket::STRIDE])
    return tuple(found)

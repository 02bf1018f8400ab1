"""From counters to the page: `collect` adds the event loops up, `render` writes Prometheus text format 0.0.4.

Pure functions: no socket, no clock. A series by command, or by command and host, is there once it has counted:
every command for each of 200 hosts would be 150,000 lines of zeros. Always there are `requests_total` of get and set
and everything that is by host alone, so that a rate over them is right from the first request on.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, Optional, Union

from .counters import STRIDE, SUM, Cells, Layout, healthy_hosts
from .process import ProcessFacts
from .table import BUCKETS_MS, METRICS, Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of the page that `render` writes."""

_ALWAYS = ("get", "set")
_COMMON = "process_"  # names that all exporters share: they take no namespace
_EXACT = 2.0**53  # above it not every integer is a float


class Histogram(NamedTuple):
    """Times: how many in each bucket of BUCKETS_MS and above (not cumulative), and their sum in milliseconds."""

    counts: tuple[float, ...]
    sum: float

    @property
    def total(self) -> float:
        """How many in all."""
        return sum(self.counts)


class Sample(NamedTuple):
    """One series: the values of the family's labels, and its number or histogram."""

    labels: tuple[str, ...]
    value: Union[float, Histogram]


class Family(NamedTuple):
    """A family with its series."""

    metric: Metric
    samples: list[Sample]


_Found = dict[str, list[Sample]]


def collect(
    layout: Layout,
    rows: Sequence[Cells],
    version: str,
    process: Optional[ProcessFacts] = None,
    facts: Optional[Mapping[str, float]] = None,
) -> list[Family]:
    """The families of METRICS, counters and connections summed over the event loops' rows; `facts` are those of one
    number that nobody counts in a row."""
    found: _Found = {metric.name: [] for metric in METRICS}
    found["version"].append(Sample((version,), 1))
    for name, i in (
        ("client_connections", layout.client_connections),
        ("client_connections_total", layout.client_connections_total),
    ):
        found[name].append(Sample((), _total(rows, i)))
    found["upstream_healthy_hosts_total"].append(Sample((), healthy_hosts(layout, rows)))
    _collect_requests(layout, rows, found)
    for slot, host in layout.hosts:
        _collect_host(layout, rows, slot, host, found)
    for name, fact in (facts or {}).items():
        found[name].append(Sample((), fact))
    if process is not None:
        for name, value in process._asdict().items():
            if value is not None:
                found[_COMMON + name].append(Sample((), value))
    families = [Family(metric, found[metric.name]) for metric in METRICS]
    return [family for family in families if family.samples or not family.metric.name.startswith(_COMMON)]


def _collect_requests(layout: Layout, rows: Sequence[Cells], found: _Found) -> None:
    for index, command in enumerate(layout.commands):
        histogram = _histogram(rows, layout.requests(index))
        if histogram is not None:
            found["requests_total"].append(Sample((command,), histogram.total))
            found["request_duration_milliseconds"].append(Sample((command,), histogram))
        elif command in _ALWAYS:
            found["requests_total"].append(Sample((command,), 0))


def _collect_host(layout: Layout, rows: Sequence[Cells], number: int, host: str, found: _Found) -> None:
    for name, i in (
        ("upstream_connections_total", layout.connections[number]),
        ("upstream_get_hits_total", layout.hits[number]),
        ("upstream_get_misses_total", layout.misses[number]),
        ("upstream_missed_writes_total", layout.missed[number]),
        ("rejoin_journal_keys", layout.journal[number]),
        ("rejoin_deleted_keys_total", layout.deleted[number]),
        ("rejoin_flushes_total", layout.flushed[number]),
    ):
        found[name].append(Sample((host,), _total(rows, i)))
    for index, command in enumerate(layout.commands):
        labels = (command, host)
        histogram = _histogram(rows, layout.upstream_requests(number, index))
        if histogram is not None:
            found["upstream_requests_total"].append(Sample(labels, histogram.total))
            found["upstream_request_duration_milliseconds"].append(Sample(labels, histogram))
        errors = _total(rows, layout.errors[number][index])
        if errors:
            found["upstream_errors_total"].append(Sample(labels, errors))


def _total(rows: Sequence[Cells], i: int) -> float:
    return sum(cells[i] for cells in rows)


def _histogram(rows: Sequence[Cells], blocks: Sequence[int]) -> Optional[Histogram]:
    """The sum of these blocks of all event loops, read once, so that its buckets and its count agree; None if all is
    zero.

    Most blocks are empty, and with one event loop this runs beside the request path: `any` over a slice is C code.
    """
    slices = [cells[block : block + STRIDE] for cells in rows for block in blocks]
    if not any(map(any, slices)):
        return None
    cells = [sum(column) for column in zip(*slices)]
    histogram = Histogram(tuple(cells[:SUM]), cells[SUM])
    return histogram if histogram.total else None


def render(families: Iterable[Family], namespace: str = "mcrouter") -> bytes:
    """The page."""
    lines: list[str] = []
    for metric, samples in families:
        name = metric.name if metric.name.startswith(_COMMON) else f"{namespace}_{metric.name}"
        lines.append(f"# HELP {name} {_escaped(metric.help)}\n# TYPE {name} {metric.type}\n")
        for labels, value in samples:
            pairs = ",".join(f'{key}="{_quoted(text)}"' for key, text in zip(metric.labels, labels))
            if isinstance(value, Histogram):
                lines.append(_histogram_lines(name, pairs, value))
            else:
                lines.append(f"{name}{_braced(pairs)} {_number(value)}\n")
    return "".join(lines).encode()


def _histogram_lines(name: str, pairs: str, histogram: Histogram) -> str:
    before = pairs + "," if pairs else ""
    running = [_number(count) for count in accumulate(histogram.counts)]
    lines = [f'{name}_bucket{{{before}le="{bound}"}} {count}\n' for bound, count in zip(_BOUNDS, running)]
    lines.append(f"{name}_sum{_braced(pairs)} {_number(histogram.sum)}\n")
    lines.append(f"{name}_count{_braced(pairs)} {running[-1]}\n")
    return "".join(lines)


def _braced(pairs: str) -> str:
    return f"{{{pairs}}}" if pairs else ""


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if abs(value) < _EXACT and value == int(value) else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    """A label's value. A path that is not UTF-8 reaches us with surrogates, which the page cannot hold."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return _escaped(text).replace('"', '\\"')


_BOUNDS = (*map(_number, BUCKETS_MS), "+Inf")

"""From counters to the page: `collect` makes families of them, `render` writes Prometheus text format 0.0.4.

Pure functions: no socket, no clock. A series by command, or by command and host, is there once it has counted:
every command for each of 200 hosts would be 150,000 lines of zeros. `requests_total` of get and set, and all series
that are only by host, are always there, so that a rate over them is right from the first request on.
"""

import math
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import NamedTuple, Optional, Union

from ..counters.layout import BUCKETS_MS
from ..counters.reader import CounterReader, Histogram
from .process import ProcessFacts
from .table import METRICS, Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The content type of the page."""

_ALWAYS = ("get", "set")
_COMMON = "process_"  # names that all exporters share: they take no namespace
_EXACT = 2.0**53  # above it not every integer is a float


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
    counters: CounterReader,
    version: str,
    process: Optional[ProcessFacts] = None,
    facts: Optional[Mapping[str, float]] = None,
) -> list[Family]:
    """Returns the families of METRICS. `facts` are the numbers, by the names of their families, that are not among the
    counters of event loops."""
    found: _Found = {metric.name: [] for metric in METRICS}
    found["version"].append(Sample((version,), 1))
    found["client_connections"].append(Sample((), counters.clients()))
    found["client_connections_total"].append(Sample((), counters.clients_accepted()))
    found["upstream_healthy_hosts_total"].append(Sample((), counters.healthy_hosts()))
    _collect_requests(counters, found)
    for slot, host in counters.layout.hosts:
        _collect_host(counters, slot, host, found)
    for name, fact in (facts or {}).items():
        found[name].append(Sample((), fact))
    if process is not None:
        for name, value in process._asdict().items():
            if value is not None:
                found[_COMMON + name].append(Sample((), value))
    families = [Family(metric, found[metric.name]) for metric in METRICS]
    return [family for family in families if family.samples or not family.metric.name.startswith(_COMMON)]


def _collect_requests(counters: CounterReader, found: _Found) -> None:
    for index, command in enumerate(counters.layout.commands):
        histogram = counters.requests(index)
        if histogram is not None:
            found["requests_total"].append(Sample((command,), histogram.total))
            found["request_duration_milliseconds"].append(Sample((command,), histogram))
        elif command in _ALWAYS:
            found["requests_total"].append(Sample((command,), 0))


def _collect_host(counters: CounterReader, slot: int, host: str, found: _Found) -> None:
    layout = counters.layout
    for name, cell in (
        ("upstream_connections_total", layout.connections[slot]),
        ("upstream_get_hits_total", layout.hits[slot]),
        ("upstream_get_misses_total", layout.misses[slot]),
        ("upstream_missed_writes_total", layout.missed[slot]),
        ("rejoin_journal_keys", layout.journal[slot]),
        ("rejoin_deleted_keys_total", layout.deleted[slot]),
        ("rejoin_flushes_total", layout.flushed[slot]),
    ):
        found[name].append(Sample((host,), counters.total(cell)))
    for index, command in enumerate(layout.commands):
        labels = (command, host)
        histogram = counters.host_requests(slot, index)
        if histogram is not None:
            found["upstream_requests_total"].append(Sample(labels, histogram.total))
            found["upstream_request_duration_milliseconds"].append(Sample(labels, histogram))
        errors = counters.total(layout.errors[slot][index])
        if errors:
            found["upstream_errors_total"].append(Sample(labels, errors))


def render(families: Iterable[Family], namespace: str = "mcrouter") -> bytes:
    """Returns the page."""
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
    """Returns the value of a label, escaped. A path that is not UTF-8 has surrogates, which the page cannot have."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return _escaped(text).replace('"', '\\"')


_BOUNDS = (*map(_number, BUCKETS_MS), "+Inf")

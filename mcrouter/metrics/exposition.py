"""From cells to the Prometheus text format 0.0.4, without a socket: `collect`, then `render`."""

from typing import Callable, Dict, List, Mapping, NamedTuple, Sequence, Tuple

from .counters import STRIDE, Layout
from .table import BUCKETS_MS, METRICS, Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Tuple[str, ...]
_ALWAYS = ("get", "set")  # commands whose request counters are there from the start


class Family(NamedTuple):
    """A metric with its samples: labels' values to a number, or to a histogram's cells."""

    metric: Metric
    samples: Mapping[Labels, "float | Sequence[float]"]


def collect(
    layout: Layout, rows: Sequence[Sequence[float]], version: str, process: Mapping[str, float]
) -> List[Family]:
    """All families, summed over the shards' rows. `process` has the `process_*` samples by name."""
    total = _sum(rows)
    requests = {(cmd,): total(first, STRIDE) for cmd, first in zip(layout.commands, layout.request)}
    requests = {key: cells for key, cells in requests.items() if key[0] in _ALWAYS or any(cells[:-1])}
    upstream: Dict[Labels, Sequence[float]] = {}
    errors: Dict[Labels, float] = {}
    for host, firsts, cells in zip(layout.hosts, layout.upstream, layout.errors):
        for cmd, first, cell in zip(layout.commands, firsts, cells):
            histogram, failed = total(first, STRIDE), total(cell, 1)[0]
            if any(histogram[:-1]):
                upstream[cmd, host] = histogram
            if failed:
                errors[cmd, host] = failed
    samples: Dict[str, Mapping[Labels, "float | Sequence[float]"]] = {
        "requests_total": {key: sum(cells[:-1]) for key, cells in requests.items()},
        "request_duration_milliseconds": {key: cells for key, cells in requests.items() if any(cells[:-1])},
        "upstream_requests_total": {key: sum(cells[:-1]) for key, cells in upstream.items()},
        "upstream_request_duration_milliseconds": upstream,
        "upstream_errors_total": errors,
        "upstream_healthy_hosts_total": {(): healthy_hosts(layout, rows)},
        "upstream_connections_total": _per_host(layout, layout.connections, total),
        "upstream_get_hits_total": _per_host(layout, layout.hits, total),
        "upstream_get_misses_total": _per_host(layout, layout.misses, total),
        "client_connections": {(): total(layout.client_connections, 1)[0]},
        "client_connections_total": {(): total(layout.client_connections_total, 1)[0]},
        "version": {(version,): 1},
    }
    samples.update({name: {(): value} for name, value in process.items()})
    return [Family(metric, samples[metric.name]) for metric in METRICS if metric.name in samples]


def healthy_hosts(layout: Layout, rows: Sequence[Sequence[float]]) -> int:
    """How many hosts every shard finds healthy."""
    return sum(all(row[cell] for row in rows) for cell in layout.healthy)


def _sum(rows: Sequence[Sequence[float]]) -> Callable[[int, int], List[float]]:
    def total(first: int, count: int) -> List[float]:
        return [sum(row[cell] for row in rows) for cell in range(first, first + count)]

    return total


def _per_host(
    layout: Layout, cells: Sequence[int], total: Callable[[int, int], List[float]]
) -> Dict[Labels, float]:
    return {(host,): total(cell, 1)[0] for host, cell in zip(layout.hosts, cells)}


def render(families: Sequence[Family], namespace: str = "mcrouter") -> bytes:
    """The page."""
    lines: List[str] = []
    for metric, samples in families:
        name = metric.name if metric.name.startswith("process_") else f"{namespace}_{metric.name}"
        lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.type}"]
        for labels, value in samples.items():
            pairs = [f'{label}="{_escape(text)}"' for label, text in zip(metric.labels, labels)]
            if isinstance(value, (int, float)):
                lines.append(f"{name}{_braces(pairs)} {_number(value)}")
            else:
                lines += _histogram(name, pairs, value)
    return ("\n".join(lines) + "\n").encode()


def _histogram(name: str, pairs: List[str], cells: Sequence[float]) -> List[str]:
    lines, count = [], 0.0
    for bound, cell in zip((*map(_number, BUCKETS_MS), "+Inf"), cells):
        count += cell
        label = f'le="{bound}"'
        lines.append(f"{name}_bucket{_braces([*pairs, label])} {_number(count)}")
    lines.append(f"{name}_sum{_braces(pairs)} {_number(cells[-1])}")
    lines.append(f"{name}_count{_braces(pairs)} {_number(count)}")
    return lines


def _braces(pairs: List[str]) -> str:
    return "{" + ",".join(pairs) + "}" if pairs else ""


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)



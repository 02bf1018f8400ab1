"""Facts -> tables."""

from typing import Any, Callable, Dict, List, Mapping, Sequence

Facts = Mapping[str, Any]
_COLUMNS = ("requests/s", "p50 us", "p99 us", "user", "sys", "CPU us", "RSS MB", "load %")
_RATIOS = ("CPU x", "p50 x", "p99 x")


class Tables:
    """Writes tables line by line with `say`, as facts come in."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def about(self, facts: Facts) -> None:
        """What was measured with what."""
        self._say(
            f"{facts['cpus']} CPUs, load average {facts['load_average']:.2f}, {facts['python']}; "
            f"policy {facts['policy']}, shards {facts['shards']}; rounds {facts['rounds']} of {facts['seconds']:g} s, "
            f"load processes {facts['loaders']}"
        )

    def heading(self, base: str) -> None:
        """The columns of the cases; `base` is the first rival, if any."""
        ratios = "".join(f"{name:>7}" for name in _RATIOS) + f"  (to {base})" if base else ""
        self._say(f"{'case':16} {'proxy':10}" + "".join(f"{name:>11}" for name in _COLUMNS) + ratios)

    def case(self, facts: Facts) -> None:
        """The rows of a case."""
        label = facts["case"]
        for row in facts["proxies"]:
            numbers = f"{row['requests_per_s']:11.0f}{row['p50_us']:11.0f}{row['p99_us']:11.0f}"
            numbers += "".join(f"{row[name]:11.2f}" for name in ("user_us", "system_us", "cpu_us"))
            numbers += f"{row['rss_mb']:11.1f}{100 * row['loader_busy']:11.0f}"
            ratios = (row["ratios"] or {}).values()
            numbers += "".join(f"{'-':>7}" if ratio is None else f"{ratio:7.2f}" for ratio in ratios)
            self._say(f"{label:16} {row['name']:10}{numbers}")
            label = ""

    def idle(self, facts: Sequence[Facts], asked: int) -> None:
        """Memory per idle client."""
        if any(row["clients"] < asked for row in facts):
            self._say(f"{asked} idle clients are more than the limit on open files allows (ulimit -Hn)")
        self._say(f"{'proxy':10}{'RSS MB':>10}{'clients':>10}{'bytes a client':>16}")
        for row in facts:
            self._say(f"{row['name']:10}{row['rss_mb']:10.1f}{row['clients']:10}{row['bytes_per_client']:16.0f}")

    def startup(self, facts: Facts) -> None:
        """Time to accept, time to import."""
        for row in facts["accepting_ms"]:
            self._say(f"{row['name']}: {row['median']:.0f} ms from its start to accepting (median of {row['times']})")
        for name, milliseconds in facts["import_ms"].items():
            self._say(f"import {name}: " + ("not told" if milliseconds is None else f"{milliseconds:.1f} ms"))

    def large(self, facts: Facts) -> None:
        """A config of many pools."""
        self._say(f"{facts['pools']} pools, {facts['handles']} handles: loaded in {facts['load_s']:.1f} s")
        for slowest, middle in zip(facts["slowest_ms"], facts["median_ms"]):
            self._say(f"reload: the slowest get took {slowest:.1f} ms (median {middle:.2f}); a get is two ticks")

    def hotspots(self, facts: Facts) -> None:
        """Where the time of a request goes."""
        self._say(
            f"{facts['case']}: {facts['user_us']:.2f} + {facts['system_us']:.2f} us of CPU a request, user + system; "
            f"traced, which costs time itself, {facts['traced_us']:.2f}"
        )
        self._say(f"sampled: own time and that of the C functions it calls, {facts['samples']} samples")
        self._say("traced: own time alone; calls: exact; all per request")
        self._say(f"{'sampled us':>10}{'traced us':>11}{'calls':>9}  Python function")
        self._functions(facts["python"])
        self._say(f"{'':10}{'traced us':>11}{'calls':>9}  C function")
        self._functions(facts["c"])

    def _functions(self, rows: List[Dict[str, Any]]) -> None:
        for row in rows:
            sampled = f"{row['sampled_us']:10.3f}" if "sampled_us" in row else f"{'':10}"
            traced = f"{'-':>11}" if row["traced_us"] is None else f"{row['traced_us']:11.3f}"
            self._say(f"{sampled}{traced}{row['calls']:9.3f}  {row['function']}")

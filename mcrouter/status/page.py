"""The status page: one HTML text made of the facts. It works without its script, and loads nothing from elsewhere."""

from html import escape
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from ..counters.reader import DIVIDED, HEALTHY, REJOINING, UNHEALTHY, UNKNOWN
from .history import POINTS
from .look import POLICY, SCRIPT, STYLE
from .plots import sparkline
from .words import NONE, clock, ms, number, share, span

Facts = Mapping[str, Any]

_DENSE = 24  # with more hosts each gets only one line
_SHOWN_CHANGES = 12
_MARKS = {
    HEALTHY: ("●", "good", "healthy"),
    UNHEALTHY: ("✕", "bad", "unhealthy"),
    REJOINING: ("◐", "warn", "rejoining"),
    DIVIDED: ("◑", "warn", "unhealthy for some event loops"),
    UNKNOWN: ("○", "soft", "unknown"),
}
_URGENT = (UNHEALTHY, DIVIDED, REJOINING, UNKNOWN, HEALTHY)  # the order of hosts on the page


def page(facts: Facts) -> str:
    """Returns the whole page for the facts of /status.json."""
    verdict, kind, mark = _verdict(facts)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{mark} {escape(verdict)} - {escape(facts['name'])}</title><style>{STYLE}</style>"
        '<noscript><meta http-equiv="refresh" content="10"></noscript></head><body><main>'
        f"{_header(facts)}"
        f'<p class="verdict {kind}"><b>{mark}</b>{escape(verdict)}</p>'
        '<p class="alarm" id="lost" role="alert">The router does not answer. This page is out of date.</p>'
        f"{_refused(facts)}{_summary(facts)}{_hosts(facts)}{_changes(facts)}{_policy(facts)}"
        '</main><footer>The same facts: <a href="/status.json">/status.json</a>, for Prometheus: '
        '<a href="/metrics">/metrics</a>. Plots show the last five minutes.</footer>'
        f"<script>{SCRIPT}</script></body></html>\n"
    )


def _verdict(facts: Facts) -> "tuple[str, str, str]":
    """Returns the state of all hosts as a sentence, its style and its mark."""
    states = [host["state"] for host in facts["hosts"]]
    count, ill = len(states), len([state for state in states if state != HEALTHY])
    if not count:
        return "No host in the config", "soft", "○"
    if not ill:
        return ("The host is healthy" if count == 1 else f"All {count} hosts are healthy"), "good", "●"
    worst = next(state for state in _URGENT if state in states)
    mark, kind, _ = _MARKS[worst]
    if set(states) == {UNKNOWN}:
        return "Starting", kind, mark
    if ill == count:
        return ("The host is not healthy" if count == 1 else f"None of the {count} hosts is healthy"), "bad", "✕"
    return f"{ill} of {count} hosts {'is' if ill == 1 else 'are'} not healthy", kind, mark


def _header(facts: Facts) -> str:
    name = "" if facts["name"] == "mcrouter" else f" {escape(facts['name'])}"
    return (
        f"<header><h1>mcrouter{name}</h1>"
        f'<span class="soft">version {escape(facts["version"])}, up for {span(facts["now"] - facts["started"])}, '
        f"as of {clock(facts['now'])}</span></header>"
    )


def _refused(facts: Facts) -> str:
    error = facts["config"]["last_error"]
    if error is None:
        return ""
    ago = span(facts["now"] - error["at"])
    return (
        f'<p class="alarm" role="alert"><b class="bad">The newest config was refused</b> {ago} ago; the previous one '
        f"stays in effect.<code>{escape(error['text'])}</code></p>"
    )


def _summary(facts: Facts) -> str:
    clients, config = facts["clients"], facts["config"]
    age = span(facts["now"] - config["since"])
    rows = (
        ("Requests", f"{number(clients['requests_per_second'])} <small>a second</small>"),
        ("Clients", f"{clients['open']:,} <small>of {clients['accepted']:,} ever</small>"),
        ("Listens on", "<br>".join(map(escape, facts["listen"]))),
        ("Event loops", str(facts["loops"])),
        ("Config", f"{escape(config['file'] or 'not from a file')} <small>for {age}</small>"),
    )
    return f"<dl>{''.join(f'<div><dt>{name}</dt><dd>{value}</dd></div>' for name, value in rows)}</dl>"


def _hosts(facts: Facts) -> str:
    hosts: Sequence[Facts] = sorted(facts["hosts"], key=lambda host: _URGENT.index(host["state"]))
    if not hosts:
        return ""
    is_dense = len(hosts) > _DENSE
    misses = any(host["missed_writes"] for host in hosts)
    columns = [column for column in _COLUMNS if misses or column.name != _MISSED]
    heads = "".join(f'<th scope="col">{column.name}</th>' for column in columns)
    rows = "".join(_host(host, facts["now"], columns, is_dense) for host in hosts)
    return (
        f"<h2>Hosts</h2><div class=\"sheet hosts{' dense' if is_dense else ''}\"><table><thead><tr>"
        f'<th scope="col">Host</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _host(host: Facts, now: float, columns: "Sequence[PageColumn]", is_dense: bool) -> str:
    mark, kind, word = _MARKS[host["state"]]
    since = f"<small>for {span(now - host['since'])}</small>" if host["since"] else ""
    why = f"<small>{escape(host['why'])}</small>" if host["why"] else ""
    cells = "".join(column.cell(host, is_dense) for column in columns)
    return (
        f'<tr><td><span class="host">{escape(host["host"])}</span><div class="state {kind}"><b>{mark}</b>{word}{since}'
        f"</div>{why}</td>{cells}</tr>"
    )


class PageColumn:
    """A column of the table of hosts: a figure, and the plot of its history, whose scale reaches at least `least`."""

    def __init__(
        self, name: str, text: Callable[[Facts], str], series: str = "", least: float = 1.0, is_share: bool = False
    ) -> None:
        self.name, self.text = name, text
        self._series, self._least, self._is_share = series, least, is_share

    def cell(self, host: Facts, is_dense: bool) -> str:
        """Returns the cell of a host."""
        text, plot = self.text(host), self._plot(host, is_dense)
        kind = ' class="none"' if text in ("0", NONE) and not plot else ""
        return f'<td{kind} data-name="{self.name}">{plot}<span class="n">{escape(text)}</span></td>'

    def _plot(self, host: Facts, is_dense: bool) -> str:
        """Returns the plot of a host. With many hosts, shares have no plot, and other plots have half the points."""
        values: List[Optional[float]] = host["history"][self._series] if self._series else []
        if is_dense and self._is_share:
            return ""
        points = POINTS
        if is_dense:
            values, points = values[len(values) % 2 :: 2], POINTS // 2
        if not any(values):
            return ""
        return sparkline(values, points, self._least, f"{self.name} of {escape(host['host'])}", self._series)


_MISSED = "Missed writes"
_COLUMNS = (
    PageColumn("Requests/s", lambda host: number(host["requests_per_second"]), "requests_per_second"),
    PageColumn("Errors", lambda host: share(host["error_rate"]), "error_rate", 1.0, True),
    PageColumn("Hits", lambda host: share(host["hit_rate"]), "hit_rate", 1.0, True),
    PageColumn("p50 ms", lambda host: ms(host["p50"])),
    PageColumn("p95 ms", lambda host: ms(host["p95"])),
    PageColumn("p99 ms", lambda host: ms(host["p99"]), "p99", 0.5),
    PageColumn(_MISSED, lambda host: f"{host['missed_writes']:,}"),
)


def _changes(facts: Facts) -> str:
    changes: Sequence[Dict[str, Any]] = facts["changes"][: -_SHOWN_CHANGES - 1 : -1]
    if not changes:
        return ""
    rows = "".join(
        f'<li><span class="soft">{clock(one["at"])}</span> <span class="host">{escape(one["host"])}</span> '
        f'{_MARKS[one["from"]][2]} → <span class="{_MARKS[one["to"]][1]}">{_MARKS[one["to"]][2]}</span>{_because(one)}'
        "</li>"
        for one in changes
    )
    return f'<h2>Changes of state</h2><ul class="sheet log">{rows}</ul>'


def _because(change: Facts) -> str:
    return f'<span class="soft">: {escape(change["why"])}</span>' if change["why"] else ""


def _policy(facts: Facts) -> str:
    return f'<h2>Policy</h2><div class="sheet"><pre>{escape(facts["routes"])}</pre></div>'

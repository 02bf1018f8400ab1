"""Makes the view: lines of styled pieces, for any width and height. Knows no terminal; its only clock is the time in
the facts."""

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..counters.reader import DIVIDED, HEALTHY, REJOINING, UNHEALTHY, UNKNOWN
from ..status import words
from ..system.printable import printable

Facts = Mapping[str, Any]
PLAIN, BOLD, SOFT, GOOD, WARN, BAD, HEAD = range(7)
"""The styles of a piece."""
Piece = Tuple[str, int]
Line = List[Piece]

_MARKS = {HEALTHY: ("●", "o", GOOD), UNHEALTHY: ("✕", "X", BAD), REJOINING: ("◐", "~", WARN), DIVIDED: ("◑", "%", WARN),
          UNKNOWN: ("○", "?", SOFT)}  # fmt: skip
_URGENT = (UNHEALTHY, DIVIDED, REJOINING, UNKNOWN, HEALTHY)
_BARS, _ASCII_BARS = "▁▂▃▄▅▆▇█", "_.,-=+*#"
_CHANGES = 5


class Column(NamedTuple):
    """A column of the table of hosts. On a narrow terminal the columns with the lowest `keep` stay longest."""

    title: str
    width: int
    keep: int
    text: Callable[[Facts], str]


_COLUMNS = (
    Column("req/s", 7, 1, lambda host: words.number(host["requests_per_second"])),
    Column("errors", 8, 2, lambda host: words.share(host["error_rate"])),
    Column("hits", 8, 3, lambda host: words.share(host["hit_rate"])),
    Column("p50 ms", 7, 6, lambda host: words.ms(host["p50"])),
    Column("p95 ms", 7, 7, lambda host: words.ms(host["p95"])),
    Column("p99 ms", 7, 4, lambda host: words.ms(host["p99"])),
    Column("conns", 6, 8, lambda host: str(host["connections"])),
    Column("missed", 7, 9, lambda host: words.number(host["missed_writes"])),
)
_PLOT, _PLOT_KEEP = 16, 5
_STATE_LEAST, _NAME_LEAST = 13, 12


def _busiest(host: Facts) -> Any:
    return -host["requests_per_second"]


SORTS: Dict[str, Callable[[Facts], Any]] = {
    "state": lambda host: _URGENT.index(host["state"]),
    "host": lambda host: host["host"],
    "rate": _busiest,
    "errors": lambda host: -(host["error_rate"] or 0),
    "latency": lambda host: -(host["p99"] or 0),
}
"""The orders that hosts can be shown in; equal hosts stay in the order of the config."""


def lines(
    facts: Facts, width: int, height: int, sort: str = "state", first: int = 0, is_utf8: bool = True
) -> List[Line]:
    """Returns the view: at most `height` lines of `width` characters, with the hosts from the one numbered `first`
    on."""
    top, below = _header(facts, is_utf8), _changes(facts, is_utf8)
    room = max(1, height - len(top) - len(below) - 1)
    hosts = sorted(facts["hosts"], key=SORTS[sort])
    if len(hosts) <= room:
        first = 0
    else:
        room -= 1
        first = max(0, min(first, len(hosts) - room))
    table = _table(hosts[first : first + room], facts["now"], width, is_utf8, hosts)
    if len(hosts) > room:
        table.append([(f"hosts {first + 1} to {min(first + room, len(hosts))} of {len(hosts)}", SOFT)])
    return [_cut(line, width) for line in [*top, *table, *below]][:height]


def whole(facts: Facts, width: int, sort: str = "state", is_utf8: bool = True) -> List[Line]:
    """Returns a view with all hosts, however many."""
    return lines(facts, width, len(facts["hosts"]) + 100, sort, 0, is_utf8)


def _header(facts: Facts, is_utf8: bool) -> List[Line]:
    clients, config, now = facts["clients"], facts["config"], facts["now"]
    states = [host["state"] for host in facts["hosts"]]
    worst = next((state for state in _URGENT if state in states), UNKNOWN)
    mark = _MARKS[worst][0 if is_utf8 else 1]
    healthy = states.count(HEALTHY)
    found: List[Line] = [
        [
            (f"{facts['name']} {facts['version']}", BOLD),
            (f"  up {words.span(now - facts['started'])}, event loops: {facts['loops']}", PLAIN),
            (f"  {words.clock(now)}", SOFT),
        ],
        [
            (f"{mark} {healthy} of {len(states)} hosts healthy", _MARKS[worst][2]),
            (f"  {words.number(clients['requests_per_second'])} requests/s, {clients['open']} clients", PLAIN),
            (f"  config for {words.span(now - config['since'])}", SOFT),
        ],
    ]
    error = config["last_error"]
    if error is not None:
        found.append([(f"config refused {words.span(now - error['at'])} ago: {error['text']}", BAD)])
    return [*found, []]


def _changes(facts: Facts, is_utf8: bool) -> List[Line]:
    recent: Sequence[Facts] = facts["changes"][: -_CHANGES - 1 : -1]
    if not recent:
        return []
    arrow = "→" if is_utf8 else "->"
    return [
        [],
        *(
            [
                (f"{words.clock(one['at'])}  ", SOFT),
                (f"{one['host']} {one['from']} {arrow} ", PLAIN),
                (one["to"], _MARKS[one["to"]][2]),
                (f": {one['why']}" if one.get("why") else "", PLAIN),
            ]
            for one in recent
        ),
    ]


def _table(shown: Sequence[Facts], now: float, width: int, is_utf8: bool, hosts: Sequence[Facts]) -> List[Line]:
    """Returns the head and a line for each host; columns that do not fit into the width are left out."""
    name_width = max([_NAME_LEAST, *(len(host["host"]) for host in hosts)])
    state_width = max([_STATE_LEAST, *(len(_state(host, now, is_utf8)) for host in hosts)]) if hosts else _STATE_LEAST
    room = width - min(name_width, max(_NAME_LEAST, width - state_width - 1)) - 1 - state_width
    kept, plot = _fitting(room)
    head = "host".ljust(name_width) + " " + "state".ljust(state_width)
    head += "".join(column.title.rjust(column.width) for column in kept) + ("  last minutes" if plot else "")
    rows: List[Line] = [[(head.ljust(width), HEAD)]]
    for host in shown:
        figures = "".join(column.text(host).rjust(column.width) for column in kept)
        rows.append(
            [
                (host["host"].ljust(name_width) + " ", PLAIN),
                (_state(host, now, is_utf8).ljust(state_width), _MARKS[host["state"]][2]),
                (figures, PLAIN if host["requests_per_second"] else SOFT),
                (f"  {bars(host['history']['requests_per_second'], _PLOT, is_utf8)}" if plot else "", SOFT),
            ]
        )
    return rows


def _fitting(room: int) -> Tuple[List[Column], bool]:
    """Returns the columns that fit into so many characters, and whether the plot does."""
    plot: List[Any] = [(_PLOT_KEEP, _PLOT + 2, None)]
    wanted = sorted([*((column.keep, column.width, column) for column in _COLUMNS), *plot], key=lambda one: one[0])
    kept = []
    for _, size, column in wanted:
        if size > room:
            break
        room -= size
        kept.append(column)
    return [column for column in _COLUMNS if column in kept], None in kept


def _state(host: Facts, now: float, is_utf8: bool) -> str:
    mark = _MARKS[host["state"]][0 if is_utf8 else 1]
    return f"{mark} {host['state']}" + (f" {words.span(now - host['since'])}" if host["since"] else "")


def bars(values: Sequence[Optional[float]], width: int, is_utf8: bool) -> str:
    """Returns a plot of the values, several for a character if there are many; blank where there are none."""
    per = -(-len(values) // width) or 1
    values = values[len(values) % per :]
    groups = [[value for value in values[at : at + per] if value is not None] for at in range(0, len(values), per)]
    means = [sum(group) / len(group) if group else None for group in groups]
    top = max([1.0, *(mean for mean in means if mean is not None)])
    marks = _BARS if is_utf8 else _ASCII_BARS
    drawn = [" " if mean is None else marks[min(len(marks) - 1, int(mean / top * len(marks)))] for mean in means]
    return "".join(drawn).rjust(width)


def _cut(line: Line, width: int) -> Line:
    cut: Line = []
    for written, style in line:
        text = printable(written)
        cut.append((text[: max(0, width)], style))
        width -= len(text)
    return [piece for piece in cut if piece[0]]

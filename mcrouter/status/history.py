"""The last minutes of every host. Nobody counts for it: each look at the counters is a point.

The looks are the http thread's, which shares the interpreter with the event loop if there is but one: so it lets go of
it after each host, and a look holds nobody up for more than 0.1 ms (200 busy hosts: 4 ms of CPU, every 5 s).
"""

import collections
import threading
import time
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Sequence

from ..engine.why import WORDS, Why
from ..metrics.counters import Layout
from ..steady import unix_time
from .figures import Figures, Totals, client_requests, figures, host_totals

INTERVAL = 5.0
"""Seconds between points."""
POINTS = 60
"""How many are kept: the last five minutes."""
_WINDOW = 6  # points that "now" is the mean of: 30 s
_CHANGES = 100  # changes of state that are kept

HEALTHY, UNHEALTHY, REJOINING, DIVIDED, UNKNOWN = STATES = ("healthy", "unhealthy", "rejoining", "divided", "unknown")


class Change(NamedTuple):
    """A host has come to another state, at a Unix time; `why` is what is wrong with it, if anything is."""

    at: float
    host: str
    before: str
    after: str
    why: str


class Course:
    """One host: its points, and the totals of the last looks."""

    def __init__(self, first: Totals, at: float) -> None:
        self.points: Deque[Figures] = collections.deque(maxlen=POINTS)
        self.looks: Deque[Any] = collections.deque([(at, first)], maxlen=_WINDOW)
        self.state = UNKNOWN
        self.since = 0.0
        self.why = ""

    def take(self, totals: Totals, at: float) -> None:
        """One look more."""
        before, known = self.looks[-1]
        self.points.append(figures(totals.since(known), at - before))
        self.looks.append((at, totals))

    def now(self, totals: Totals, at: float) -> Figures:
        """Of the last half a minute."""
        before, known = self.looks[0]
        return figures(totals.since(known), at - before)


class History:
    """Of all hosts that `layout` has, by the rows that `rows()` gives; `clock` is steady, `wall` Unix time."""

    def __init__(
        self,
        layout: Layout,
        rows: Callable[[], Sequence[Any]],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = unix_time,
    ) -> None:
        self._layout, self._rows = layout, rows
        self._clock, self._wall = clock, wall
        self.lock = threading.RLock()  # the looks and the pages are in different threads
        self.courses: Dict[str, Course] = {}
        self.changes: Deque[Change] = collections.deque(maxlen=_CHANGES)
        self._clients: Deque[Any] = collections.deque([(clock(), 0.0)], maxlen=_WINDOW)
        for _, name in layout.hosts:
            self.courses[name] = Course(Totals(), clock())

    def look(self) -> None:
        """Takes a point of every host."""
        with self.lock:
            self.look_at_states()
            for slot, name in self._layout.hosts:
                if name in self.courses:
                    self.courses[name].take(host_totals(self._layout, self._rows(), slot), self._clock())
                time.sleep(0)  # lets the event loop go on
            self._clients.append((self._clock(), client_requests(self._layout, self._rows())))

    def look_at_states(self) -> None:
        """Notices hosts that are new, have gone or turned."""
        rows, hosts = self._rows(), self._layout.hosts
        for name in self.courses.keys() - {name for _, name in hosts}:
            del self.courses[name]
        for slot, name in hosts:
            if name not in self.courses:
                self.courses[name] = Course(host_totals(self._layout, rows, slot), self._clock())
            self._turn(name, self.courses[name], *state(self._layout, rows, slot))

    def _turn(self, name: str, course: Course, found: str, since: float, why: str) -> None:
        known, known_since = course.state, course.since
        course.state, course.since, course.why = found, since, why
        if known == UNKNOWN or since <= known_since:
            return
        if known == found:  # there and back between two looks
            known = UNHEALTHY if found == HEALTHY else HEALTHY
        self.changes.append(Change(since, name, known, found, why))

    def host_now(self, slot: int, name: str) -> "tuple[Totals, Figures]":
        """A host's totals, and its figures of the last half a minute."""
        totals = host_totals(self._layout, self._rows(), slot)
        return totals, self.courses[name].now(totals, self._clock())

    def client_rate(self) -> float:
        """Requests of clients a second, in the last half a minute."""
        at, before = self._clients[0]
        seconds = self._clock() - at
        grown = max(0.0, client_requests(self._layout, self._rows()) - float(before))
        return grown / seconds if seconds > 0 else 0.0

    def window(self) -> float:
        """How many seconds "the last half a minute" has, at the beginning."""
        return self._clock() - float(self._clients[0][0])

    def series(self, name: str) -> "Dict[str, List[Any]]":
        """A host's points, oldest first, by figure."""
        points = list(self.courses[name].points)
        return {field: [getattr(point, field) for point in points] for field in Figures._fields}


def state(layout: Layout, rows: Sequence[Any], slot: int) -> "tuple[str, float, str]":
    """How the event loops that run find a host, since when (Unix time), and what is wrong with it in the eyes of the
    one that has turned last; nothing if nothing is."""
    running = [row for row in rows if row[layout.pid]]
    if not running:
        return UNKNOWN, 0.0, ""
    found = {_found(layout, row, slot) for row in running}
    turned, whys = layout.turned[slot], layout.why[slot]
    _, why = max((row[turned], row[whys]) if row[whys] else (0.0, 0) for row in running)
    return (found.pop() if len(found) == 1 else DIVIDED), max(row[turned] for row in running), WORDS[Why(int(why))]


def _found(layout: Layout, row: Any, slot: int) -> str:
    if row[layout.healthy[slot]]:
        return HEALTHY
    return REJOINING if row[layout.returning[slot]] else UNHEALTHY

"""The last minutes of every host: a series of points, each made by reading the counters.

The http thread reads the counters. With one event loop it shares the interpreter with that loop; so it yields after
each host, and never delays the loop by more than 0.1 ms (200 busy hosts: 4 ms of CPU every 5 s).
"""

import collections
import threading
import time
from typing import Any, Callable, Deque, Dict, List, NamedTuple

from ..counters.reader import HEALTHY, UNHEALTHY, UNKNOWN, CounterReader, ObservedState
from ..engine.hosts.reason import WORDS, Reason
from ..system.clock import unix_time
from .figures import Figures, Totals, figures, host_totals

INTERVAL = 5.0
"""Seconds between points."""
POINTS = 60
"""How many points are kept: the last five minutes."""
_WINDOW = 6  # the number of points for the figures of "now": 30 s
_CHANGES = 100  # how many changes of state are kept


class Change(NamedTuple):
    """A change of a host's state, at a Unix time; `why` says what is wrong with the host, empty if nothing is."""

    at: float
    host: str
    before: str
    after: str
    why: str


class Course:
    """The course of one host: its points, and its totals at the last readings."""

    def __init__(self, first: Totals, at: float) -> None:
        self.points: Deque[Figures] = collections.deque(maxlen=POINTS)
        self.looks: Deque[Any] = collections.deque([(at, first)], maxlen=_WINDOW)
        self.state = UNKNOWN
        self.since = 0.0
        self.why = ""

    def take(self, totals: Totals, at: float) -> None:
        """Adds a point from the totals of now."""
        before, known = self.looks[-1]
        self.points.append(figures(totals.since(known), at - before))
        self.looks.append((at, totals))

    def now(self, totals: Totals, at: float) -> Figures:
        """Returns the figures of the last half minute."""
        before, known = self.looks[0]
        return figures(totals.since(known), at - before)


class History:
    """The history of all hosts; `clock` is steady, `wall` is Unix time."""

    def __init__(
        self,
        counters: CounterReader,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = unix_time,
    ) -> None:
        self.counters = counters
        self._clock, self._wall = clock, wall
        self.lock = threading.RLock()  # points and pages are made in different threads
        self.courses: Dict[str, Course] = {}
        self.changes: Deque[Change] = collections.deque(maxlen=_CHANGES)
        self._clients: Deque[Any] = collections.deque([(clock(), 0.0)], maxlen=_WINDOW)
        for _, name in counters.layout.hosts:
            self.courses[name] = Course(Totals(), clock())

    def look(self) -> None:
        """Adds a point for every host."""
        with self.lock:
            self.look_at_states()
            for slot, name in self.counters.layout.hosts:
                if name in self.courses:
                    self.courses[name].take(host_totals(self.counters, slot), self._clock())
                time.sleep(0)  # lets the event loop run
            self._clients.append((self._clock(), self.counters.client_requests_in_all()))

    def look_at_states(self) -> None:
        """Adds new hosts, drops removed ones, and records changes of state."""
        hosts = self.counters.layout.hosts
        for name in self.courses.keys() - {name for _, name in hosts}:
            del self.courses[name]
        for slot, name in hosts:
            if name not in self.courses:
                self.courses[name] = Course(host_totals(self.counters, slot), self._clock())
            self._turn(name, self.courses[name], self.counters.host_state(slot))

    def _turn(self, name: str, course: Course, now: ObservedState) -> None:
        known, known_since = course.state, course.since
        found, since, why = now.state, now.since, WORDS[Reason(now.reason)]
        course.state, course.since, course.why = found, since, why
        if known == UNKNOWN or since <= known_since:
            return
        if known == found:  # changed twice between two readings
            known = UNHEALTHY if found == HEALTHY else HEALTHY
        self.changes.append(Change(since, name, known, found, why))

    def host_now(self, slot: int, name: str) -> "tuple[Totals, Figures]":
        """Returns a host's totals, and its figures of the last half minute."""
        totals = host_totals(self.counters, slot)
        return totals, self.courses[name].now(totals, self._clock())

    def client_rate(self) -> float:
        """Returns the client requests per second in the last half minute."""
        at, before = self._clients[0]
        seconds = self._clock() - at
        grown = max(0.0, self.counters.client_requests_in_all() - float(before))
        return grown / seconds if seconds > 0 else 0.0

    def window(self) -> float:
        """Returns the actual seconds of "the last half minute", which are fewer after the start."""
        return self._clock() - float(self._clients[0][0])

    def series(self, name: str) -> "Dict[str, List[Any]]":
        """Returns a host's points by figure, oldest first."""
        points = list(self.courses[name].points)
        return {field: [getattr(point, field) for point in points] for field in Figures._fields}

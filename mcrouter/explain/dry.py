"""A dry run: the real routes over scripted hosts, with a clock on which waiting takes no time.

    request ──► route ──► host: is recorded, and its answer is put on the clock: for now, or for the end of its timeout
                  ▲                     │
                  └──── the clock ◄─────┘  calls answers in the order of the requests, and timers when they are due

Hosts that are asked before any answer has come are in phase 1; hosts that are asked after an answer to those, or after
a timer, are in phase 2; and so on.
"""

import heapq
import itertools
import random
import time
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from .. import __version__
from ..config.model import Config
from ..proto.reply import Reply, unstreamed
from ..proto.request import Request
from ..proto.seams import Sink
from ..routes.build import build
from ..routes.framework.base import Route
from ..routes.framework.context import RouteContext
from ..routes.local import LocalRoute
from ..system.host_id import host_id
from .answers import TIMES_OUT, UNHEALTHY, WELL, answer
from .asking import ExplainClient, parsed

_MOST_SECONDS = 3600.0  # the run ends after that time on its clock
_MOST_EVENTS = 100_000
CLIENT = ExplainClient()


class Asked(NamedTuple):
    """A host that was asked, with the command line that it got."""

    phase: int
    host: str
    line: bytes


class Result(NamedTuple):
    """The result of a request: the reply, its outcomes, the hosts asked in order, and the hosts for which a write was
    recorded as missed. If the routes give no answer within an hour, the reply is empty."""

    reply: bytes
    outcomes: bytes
    asked: Tuple[Asked, ...]
    told: Tuple[str, ...]


class DryRun:
    """The routes of a config over scripted hosts. The routes keep their state, as rates and failures, between calls.

    `host_condition`: the condition (answers.py) of hosts by name; all other hosts are well. `journals`: unhealthy hosts
    record the writes they miss. `passed`: the last request that each route was given. `context`: other arguments of
    RouteContext, for example those that `policy_options` makes of the router's settings.
    """

    def __init__(
        self,
        config: Config,
        host_condition: Optional[Mapping[str, str]] = None,
        timeout_ms: int = 1000,
        journals: bool = False,
        wall: Optional[float] = None,
        **context: Any,
    ) -> None:
        self._clock = clock = Clock()
        self._conditions = host_condition or {}
        self._asked: List[Asked] = []
        self._told: List[str] = []
        began = time.time() if wall is None else wall
        self.hosts: Dict[str, _Host] = {}
        for address in config.hosts:
            ms = getattr(config.timeouts.get(address.text), "reply", 0) or timeout_ms
            self.hosts[address.text] = _Host(self, address.text, ms, journals)
        given = {"host_id": host_id(), "chance": random.Random(0), **context}
        self.local = LocalRoute(__version__, lambda words: ())
        made = RouteContext(self.hosts, self.local, lambda: clock.now, clock.later, lambda: began + clock.now - _BEGIN,
                            ordered_pool_form=config.ordered_pool_form, **given)  # fmt: skip
        self._style = made.style
        self.built = build(config, made)
        self.passed: Dict[Route, Request] = {}
        for route in self.built.made:
            self._watch(route)

    def ask(self, data: bytes) -> Result:
        """Returns the result of the request that these bytes stand for."""
        self._asked, self._told = [], []
        request, sink = parsed(data, CLIENT), _Sink()
        request.started = self._clock.now
        self._clock.start(lambda: self.route_for(request).start(request, sink))
        return Result(sink.reply, sink.outcomes, tuple(self._asked), tuple(self._told))

    def route_for(self, request: Request) -> Route:
        """Returns the route of the request's command."""
        return self.built.routes_by_command[request.commands[0]]

    def host_condition(self, host: str) -> str:
        """Returns the condition of a host."""
        return self._conditions.get(host, WELL)

    def put(self, host: "_Host", request: Request, sink: Sink) -> None:
        """Records that a host is asked, and puts its answer on the clock."""
        host_condition, delay = self.host_condition(host.name), 0.0
        if host_condition != UNHEALTHY:
            line = bytes(request.data).partition(b"\r\n")[0]
            self._asked.append(Asked(self._clock.phase, host.name, line))
        if host_condition == TIMES_OUT:
            delay = host.timeout_ms / 1000
        reply = answer(request, host.name, host_condition, host.timeout_ms, self._style)
        self._clock.later(delay, lambda: sink.on_reply(*reply))

    def tell(self, host: "_Host") -> None:
        """Records that a host misses a write."""
        self._told.append(host.name)

    def _watch(self, route: Route) -> None:
        start = route.start

        def noted(request: Request, sink: Sink) -> None:
            self.passed[route] = request
            start(request, sink)

        route.start = noted  # type: ignore[method-assign]


class _Host:
    """A scripted host as routes see it."""

    def __init__(self, run: DryRun, name: str, timeout_ms: int, journals: bool) -> None:
        self._run = run
        self.name = name
        self.timeout_ms = timeout_ms
        self.healthy = run.host_condition(name) != UNHEALTHY
        self.refuses_connections = True
        self.journal: Optional[object] = self if journals else None

    def send(self, request: Request, sink: Sink, since: Optional[float] = None) -> None:
        """Asks the host."""
        self._run.put(self, request, sink)

    def record_skipped(self, request: Request) -> None:
        """Records a request that was not sent because the host is unhealthy."""
        if self.journal is not None and not request.reads_only():
            self.record_missed_write(request)

    def record_missed_write(self, request: Request) -> None:
        """Records a missed write."""
        self._run.tell(self)


class _Sink:
    """The receiver of the answer."""

    reply = outcomes = b""

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the answer."""
        self.reply, self.outcomes = unstreamed(reply), outcomes


_BEGIN = 1000.0


class Clock:
    """A clock that jumps to the next event when nothing else is left to do; `now` is in seconds. An event that is added
    in one phase happens in the next."""

    def __init__(self) -> None:
        self.now = _BEGIN
        self.phase = 1
        self._events: List[Tuple[float, int, VirtualTimer]] = []
        self._order = itertools.count()

    def later(self, seconds: float, call: Callable[[], None]) -> "VirtualTimer":
        """Calls `call` after so many seconds; the returned timer can be cancelled."""
        timer = VirtualTimer(self.phase + 1, call)
        heapq.heappush(self._events, (self.now + seconds, next(self._order), timer))
        return timer

    def start(self, call: Callable[[], None]) -> None:
        """Calls `call` in phase 1, then runs all events that follow from it."""
        end, self.phase = self.now + _MOST_SECONDS, 1
        call()
        for _ in range(_MOST_EVENTS):
            if not self._events or self._events[0][0] > end:
                break
            due, _order, timer = heapq.heappop(self._events)
            self.now, self.phase = max(self.now, due), timer.phase
            timer.call()


class VirtualTimer:
    """A call that is due at some time."""

    def __init__(self, phase: int, call: Callable[[], None]) -> None:
        self.phase, self.call = phase, call

    def cancel(self) -> None:
        """Cancels the call."""
        self.call = _nothing


def _nothing() -> None:
    pass

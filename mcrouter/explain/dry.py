"""A dry run: the routes that would serve, over scripted hosts, and a clock that passes the time at once.

    request ──► route ──► host: noted, and its answer put on the clock: now, or when its timeout is over
                  ▲                     │
                  └──── the clock ◄─────┘  answers in the order asked; timers of the routes when they are due

Who is asked without waiting for any answer is asked in phase 1; upon an answer to those, or a timer, in phase 2; ...
"""

import heapq
import itertools
import random
import time
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from .. import __version__
from ..config.model import Config
from ..hostid import host_id
from ..proto.requests import Request
from ..routes.build import build
from ..routes.kit import Kit
from ..routes.local import LocalRoute
from .answers import TIMES_OUT, UNHEALTHY, WELL, answer
from .asking import Client, parsed

_MOST_SECONDS = 3600.0  # after which nothing is waited for
_MOST_EVENTS = 100_000
CLIENT = Client()


class Asked(NamedTuple):
    """A host that was asked, and the line of what it was asked."""

    phase: int
    host: str
    line: bytes


class Result(NamedTuple):
    """What became of a request: the reply, its outcomes, who was asked in order, and who was told of a write that he
    misses. A policy that gives no answer within an hour gives an empty one."""

    reply: bytes
    outcomes: bytes
    asked: Tuple[Asked, ...]
    told: Tuple[str, ...]


class DryRun:
    """A policy that is ready to be asked. It keeps what its routes remember, as of rates and failures.

    `fares` says of hosts, by name, what answers.py knows; of all others, that they are well. `journals`: hosts that
    are away are told what they miss. `passed` has by route the last request that it was given.
    """

    def __init__(
        self,
        config: Config,
        fares: Optional[Mapping[str, str]] = None,
        timeout_ms: int = 1000,
        journals: bool = False,
        wall: Optional[float] = None,
        **kit: Any,
    ) -> None:
        self._clock = clock = Clock()
        self._fares = fares or {}
        self._asked: List[Asked] = []
        self._told: List[str] = []
        began = time.time() if wall is None else wall
        self.hosts: Dict[str, _Host] = {}
        for address in config.hosts:
            ms = getattr(config.timeouts.get(address.text), "reply", 0) or timeout_ms
            self.hosts[address.text] = _Host(self, address.text, ms, journals)
        given = {"host_id": host_id(), "chance": random.Random(0), **kit}
        self.local = LocalRoute(__version__, lambda words: ())
        self.built = build(
            config,
            Kit(self.hosts, self.local, lambda: clock.now, clock.later, lambda: began + clock.now - _BEGIN,
                seed=config.seed, **given),
        )  # fmt: skip
        self.passed: Dict[Any, Request] = {}
        for route in self.built.made:
            self._watch(route)

    def ask(self, data: bytes) -> Result:
        """What becomes of the request that these bytes are."""
        self._asked, self._told = [], []
        request, sink = parsed(data, CLIENT), _Sink()
        request.started = self._clock.now
        self._clock.start(lambda: self.way(request).start(request, sink))
        return Result(sink.reply, sink.outcomes, tuple(self._asked), tuple(self._told))

    def way(self, request: Request) -> Any:
        """The route of a request's command."""
        return self.built.ways[request.kinds[0]]

    def fares(self, host: str) -> str:
        """How a host fares."""
        return self._fares.get(host, WELL)

    def put(self, host: "_Host", request: Request, sink: Any) -> None:
        """A host is asked."""
        fares, delay = self.fares(host.name), 0.0
        if fares != UNHEALTHY:
            line = bytes(request.data).partition(b"\r\n")[0]
            self._asked.append(Asked(self._clock.phase, host.name, line))
        if fares == TIMES_OUT:
            delay = host.timeout_ms / 1000
        reply = answer(request, host.name, fares, host.timeout_ms)
        self._clock.later(delay, lambda: sink.on_reply(*reply))

    def tell(self, host: "_Host") -> None:
        """A host is told of a write that it misses."""
        self._told.append(host.name)

    def _watch(self, route: Any) -> None:
        start = route.start

        def noted(request: Request, sink: Any) -> None:
            self.passed[route] = request
            start(request, sink)

        route.start = noted


class _Host:
    """A destination as routes see it."""

    def __init__(self, run: DryRun, name: str, timeout_ms: int, journals: bool) -> None:
        self._run = run
        self.name = name
        self.timeout_ms = timeout_ms
        self.healthy = run.fares(name) != UNHEALTHY
        self.hard = True
        self.journal: Any = self if journals else None

    def send(self, request: Request, sink: Any, since: Optional[float] = None) -> None:
        """Asks it."""
        self._run.put(self, request, sink)

    def spared(self, request: Request) -> None:
        """Policy would have asked it, had it been healthy."""
        if self.journal is not None and not request.reads_only():
            self.missed(request)

    def missed(self, request: Request) -> None:
        """Notes it."""
        self._run.tell(self)


class _Sink:
    """Takes the answer."""

    reply = outcomes = b""

    def on_reply(self, reply: bytes, outcomes: bytes) -> None:
        """The answer."""
        self.reply, self.outcomes = reply, outcomes


_BEGIN = 1000.0


class Clock:
    """Time that passes when nothing is left to do; `now` in seconds. What is put on it in one phase happens in the
    next."""

    def __init__(self) -> None:
        self.now = _BEGIN
        self.phase = 1
        self._events: List[Tuple[float, int, Timer]] = []
        self._order = itertools.count()

    def later(self, seconds: float, call: Callable[[], None]) -> "Timer":
        """Calls then; what it gives can be cancelled."""
        timer = Timer(self.phase + 1, call)
        heapq.heappush(self._events, (self.now + seconds, next(self._order), timer))
        return timer

    def start(self, call: Callable[[], None]) -> None:
        """Calls now, in phase 1, and then whatever comes of it, to the end."""
        end, self.phase = self.now + _MOST_SECONDS, 1
        call()
        for _ in range(_MOST_EVENTS):
            if not self._events or self._events[0][0] > end:
                break
            due, _order, timer = heapq.heappop(self._events)
            self.now, self.phase = max(self.now, due), timer.phase
            timer.call()


class Timer:
    """A call that is due at some time."""

    def __init__(self, phase: int, call: Callable[[], None]) -> None:
        self.phase, self.call = phase, call

    def cancel(self) -> None:
        """It is not wanted any more."""
        self.call = _nothing


def _nothing() -> None:
    pass

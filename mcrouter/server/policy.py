"""A config in effect: its hosts, the route of each command, and the pools that each host is in.

A large policy is made, put into effect and freed in portions (`in_portions`), between which clients are served.
"""

import contextlib
import gc
import sys
from typing import Any, Callable, ContextManager, Dict, Generator, Iterable, Iterator, List, Optional, Set

from ..config import Config, HostAddress
from ..engine.hosts.host import Host
from ..engine.loop import PollGroup
from ..proto.client.parser import RunPlan
from ..routes.build import Built, building
from ..routes.framework.context import RouteContext
from ..routes.framework.pool import hosts_of

_AT_A_TIME = 0.002  # seconds of work between two ticks
_TURN = 0.0005  # seconds
_PORTION = 64

Work = Generator[Any, None, Any]


class Policy:
    """A policy in effect, or about to be. `pools`: by host the pools whose health depends on it."""

    def __init__(self, config: Config, hosts: Dict[str, Host], built: Built, pools: Dict[Host, List[Any]]) -> None:
        self.config = config
        self.hosts = hosts
        self.routes_by_command: List[Any] = built.routes_by_command
        self.plan: RunPlan = built.plan
        self._made = built.made
        self._pools = pools
        self._away: Set[Host] = set()  # the unhealthy hosts that have a journal

    def is_somebody_away(self) -> bool:
        """Returns whether a host that records its missed writes is not healthy."""
        return bool(self._away)

    def leaves_none_healthy(self, host: Host) -> bool:
        """Returns whether a pool of the host has no healthy host."""
        return any(not pool.healthy for pool in self._pools.get(host, ()))

    def refresh(self, hosts: Iterable[Host]) -> None:
        """Updates the pools of these hosts, whose health has changed. Each pool is updated only once."""
        pools: Dict[int, Any] = {}
        for host in hosts:
            pools.update((id(pool), pool) for pool in self._pools.get(host, ()))
            if host.journal is not None and not host.healthy and self.hosts.get(host.name) is host:
                self._away.add(host)
            else:
                self._away.discard(host)
        for pool in pools.values():
            pool.refresh()

    def taking_down(self) -> Work:
        """Frees the policy in portions: to free a large one at once takes as long as hundreds of requests."""
        self.routes_by_command = []
        self._pools = {}
        specs: List[Any] = list(self.config.routes)
        del self.config
        for pieces in (self._made, specs):  # a parent comes after its children, so that each pop frees only one object
            while pieces:
                pieces.pop()
                if len(pieces) % _PORTION == 0:
                    yield


def making_policy(
    config: Config,
    known: Dict[str, Host],
    make: Callable[[HostAddress], Host],
    context: Callable[[Dict[str, Host]], RouteContext],
) -> Work:
    """Makes a policy, and returns it; hosts that are `known` are reused."""
    hosts: Dict[str, Host] = {}
    for address in config.hosts:
        hosts[address.text] = known.get(address.text) or make(address)
        yield
    built: Any = None
    work = building(config, context(hosts))
    while built is None:
        built = next(work)
        yield
    pools: Dict[Host, List[Any]] = {}
    for place, pool in enumerate(built.pools):
        for member in pool.hosts:
            for host in (member,) if isinstance(member, Host) else hosts_of(member.route):
                pools.setdefault(host, []).append(pool)
        if place % _PORTION == 0:
            yield
    return Policy(config, hosts, built, pools)


def at_once(work: Work) -> Any:
    """Does all the work at once; returns its result."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value


def in_portions(
    loop: PollGroup, work: Work, done: Callable[[Any, Optional[Exception]], None], meanwhile: ContextManager[None]
) -> None:
    """Does the work within `meanwhile`, in portions between the ticks of the loop; then calls `done(result, error)`."""
    meanwhile.__enter__()

    def end(result: Any, error: Optional[Exception]) -> None:
        meanwhile.__exit__(None, None, None)
        done(result, error)

    def run_portion() -> None:
        until = loop.clock() + _AT_A_TIME
        try:
            while loop.clock() < until:
                next(work)
        except StopIteration as finished:
            end(finished.value, None)
        except Exception as error:
            end(None, error)
        else:
            loop.call_soon(run_portion)

    run_portion()


def freeze_gc() -> None:
    """Hides all existing objects from future garbage collections. Only for a process in which nothing but the router
    runs; has no effect on PyPy."""
    if hasattr(gc, "freeze"):
        gc.freeze()


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Stops garbage collection within `with`, and hides the new objects from later collections: to visit all objects of
    a large policy delays a tick by 0.1 s or more. Only for a process in which nothing but the router runs."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            freeze_gc()
            gc.enable()


@contextlib.contextmanager
def short_gil_turns() -> Iterator[None]:
    """Favours the event loop while another thread works within `with`: stops garbage collection, and lets the loop wait
    only 0.5 ms, not 5 ms, for the GIL after each system call."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        with without_collection():
            yield
    finally:
        sys.setswitchinterval(before)


def each(items: Iterable[Any], do: Callable[[Any], None]) -> Work:
    """Calls `do` for each item, as one portion each."""
    for item in items:
        do(item)
        yield

"""A config as it serves: hosts, a route for each command, and which of a policy's pools a host is in.

A large one is made, put into effect and taken down in portions (`in_portions`), between which clients are served.
"""

import contextlib
import gc
import sys
from typing import Any, Callable, ContextManager, Dict, Generator, Iterable, Iterator, List, Optional, Set

from .config import Config, HostAddress
from .engine.loop import PollGroup
from .engine.upstream import Host
from .proto.requests import Plan
from .routes.build import Built, building
from .routes.kit import Kit
from .routes.pool import hosts_of

_AT_A_TIME = 0.002  # seconds of work between two ticks
_TURN = 0.0005  # seconds
_PORTION = 64

Work = Generator[Any, None, Any]


class Policy:
    """What serves, or is about to. `pools` are by the host whose health they go by."""

    def __init__(self, config: Config, hosts: Dict[str, Host], built: Built, pools: Dict[Host, List[Any]]) -> None:
        self.config = config
        self.hosts = hosts
        self.ways: List[Any] = built.ways
        self.plan: Plan = built.plan
        self._made = built.made
        self._pools = pools
        self._away: Set[Host] = set()  # of the hosts that have a journal, those that are not healthy

    def is_somebody_away(self) -> bool:
        """Whether a host is not healthy that must be told what it misses."""
        return bool(self._away)

    def leaves_none_healthy(self, host: Host) -> bool:
        """Whether a pool that the host is in has no healthy host."""
        return any(not pool.healthy for pool in self._pools.get(host, ()))

    def refresh(self, hosts: Iterable[Host]) -> None:
        """Takes notice of hosts that went or came. Each of their pools looks at all of its hosts, once."""
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
        """Frees it in portions: all at once, a large one takes as long as hundreds of requests."""
        self.ways = []
        self._pools = {}
        specs: List[Any] = list(self.config.routes)
        del self.config
        for pieces in (self._made, specs):  # parents are behind their children: each frees no more than itself
            while pieces:
                pieces.pop()
                if len(pieces) % _PORTION == 0:
                    yield


def making_policy(
    config: Config, known: Dict[str, Host], make: Callable[[HostAddress], Host], kit: Callable[[Dict[str, Host]], Kit]
) -> Work:
    """Makes a policy; hosts that are `known` already stay. Returns it."""
    hosts: Dict[str, Host] = {}
    for address in config.hosts:
        hosts[address.text] = known.get(address.text) or make(address)
        yield
    built: Any = None
    work = building(config, kit(hosts))
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
    """Does all of it; its result."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value


def in_portions(
    loop: PollGroup, work: Work, done: Callable[[Any, Optional[Exception]], None], meanwhile: ContextManager[None]
) -> None:
    """Does the work, within `meanwhile`, in turns with the loop's ticks; then `done(result, error)`."""
    meanwhile.__enter__()

    def end(result: Any, error: Optional[Exception]) -> None:
        meanwhile.__exit__(None, None, None)
        done(result, error)

    def go_on() -> None:
        until = loop.clock() + _AT_A_TIME
        try:
            while loop.clock() < until:
                next(work)
        except StopIteration as finished:
            end(finished.value, None)
        except Exception as error:
            end(None, error)
        else:
            loop.call_soon(go_on)

    go_on()


def set_aside() -> None:
    """What lives now is not looked at again by every collection. Only for a process that is the router's own; PyPy has
    no such thing."""
    if hasattr(gc, "freeze"):
        gc.freeze()


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Meanwhile no garbage is collected, and what has come is not looked at later either: a look at all objects of a
    large policy holds up a tick by 0.1 s and more. Only for a process that is the router's own."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            set_aside()
            gc.enable()


@contextlib.contextmanager
def giving_way() -> Iterator[None]:
    """For work in a thread beside the loop's: without collection, and the loop waits 0.5 ms for its turn, not 5, each
    time that it comes back from a system call."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        with without_collection():
            yield
    finally:
        sys.setswitchinterval(before)


def each(items: Iterable[Any], do: Callable[[Any], None]) -> Work:
    """A portion an item."""
    for item in items:
        do(item)
        yield

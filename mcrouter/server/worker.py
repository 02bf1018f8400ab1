"""An event loop with all that it serves: clients, routes and hosts, which count in its own row of counters.

A new config is made beside the one in effect (`prepare`), and takes effect between two requests (`commit`). Hosts in
both configs keep their connections, their health and their counts; the others still answer what they were asked.
"""

import contextlib
import os
import socket
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Set, Tuple

from .. import __version__
from ..config import Config, HostAddress
from ..counters.cells import clear_gauges
from ..counters.layout import BUCKETS_MS, Layout
from ..counters.reader import CounterReader
from ..engine.clients.frontend import Frontend
from ..engine.clients.handover import Arriving, Leaving
from ..engine.clients.limits import ClientLimits
from ..engine.descriptors import most_for_clients
from ..engine.hosts.host import Host
from ..engine.hosts.peers import Peers
from ..engine.hosts.probes import Prober, first_pause
from ..engine.hosts.reason import Reason
from ..engine.hosts.resolver import Resolver, Resolvers
from ..engine.loop import PollGroup
from ..proto.client.stream import ClientPlace
from ..proto.styles import STYLES
from ..routes.framework.context import RouteContext, policy_options
from ..routes.local import LocalRoute
from ..settings import Settings
from ..stats import About, RequestLoad, Statistics
from ..system.clock import unix_time
from ..system.deferred import before, own
from ..system.host_id import host_id
from ..system.interpreter import without_collection
from ..system.logs import get_logger, lines_dropped
from .hosts import HostMaker
from .policy import Policy, making_policy
from .portions import Work, at_once, each, in_portions

if TYPE_CHECKING:
    from ..spool import writer
    from . import inquiries
else:
    before("explain.asking", "explain.dry", "spool.entry")
    inquiries, writer = own("server.inquiries"), own("spool.writer")

logger = get_logger(__name__)

_LEAVE_MOST = 300.0  # seconds that a client which cannot be handed over yet is waited for
_LEAVE_DRAIN = 5.0
_BEAT = 1.0  # seconds between two notes that the loop runs
_DNS_PATIENCE = 1.0  # seconds at the end for threads that still wait for DNS


class Worker:
    """One event loop. `rows` are the counters of all event loops, and `number` says which row is its own. The hosts
    `away` have missed writes in the process before this one; which writes is not known. `owns_process`: nothing but the
    router runs in this process."""

    def __init__(
        self,
        config: Config,
        settings: Settings,
        layout: Layout,
        rows: Sequence[Any],
        number: int = 0,
        away: Collection[str] = (),
        about: Optional[About] = None,
        owns_process: bool = False,
    ) -> None:
        self._settings, self._layout = settings, layout
        self._meanwhile: Any = without_collection if owns_process else contextlib.nullcontext
        self._rows, self._cells = rows, rows[number]
        clear_gauges(layout, self._cells)
        self._cells[layout.pid] = os.getpid()
        counters = CounterReader(layout, rows)
        self._stats = Statistics(counters, about or About(unix_time()), self._load)
        self.loop = PollGroup()
        self._lines_dropped = 0  # of the log, as the counters have it
        self._beat()
        self._resolvers = Resolvers(self.loop)
        self._watchers: Dict[Host, List[Any]] = {}
        self._peers = Peers(self.loop, rows)
        self._drain_until: Optional[float] = None
        self._next: Optional[Policy] = None
        self._health_changed: Set[Host] = set()  # the hosts, since the next policy was begun
        self.frontend = Frontend(
            self.loop,
            self._cells,
            BUCKETS_MS,
            layout.request,
            layout.client_connections,
            layout.client_connections_total,
            layout.request_errors,
            settings.upstream_connections,
            settings.buffer_size,
            ClientLimits(settings.max_connections, settings.client_idle_timeout, settings.max_memory // len(rows)),
            counters.clients,
            STYLES[settings.error_style],
        )
        self._hosts = HostMaker(
            self.loop, layout, self._cells, len(rows), settings, self.frontend.memory, self._on_health
        )
        self.frontend.memory.hosts = lambda: self._policy.hosts.values()
        self._spool: "Optional[writer.Spool]" = None
        if settings.async_dir and not settings.asynclog_disable:
            self._spool = writer.Spool(settings.async_dir, settings.router_name)
        self._since = 0.0  # when the config took effect, in Unix time
        self._inquiries: Any = None  # for the config in effect, once there is an inquiry
        self.frontend.inquire = self._inquire
        self.frontend.on_unserved = self._probe_at_once
        self._hurried = 0.0  # when all hosts were last probed at once, in the loop's time
        self._policy: Policy = at_once(self._making(config, {}))
        self._take_over()
        at_once(self._settling_in({}))
        for host in self._policy.hosts.values():
            if host.name in away:
                self._is_stale(host.name)
                host.mark_down(Reason.MISSED, "it has missed writes before the restart")
            elif host.journal:
                host.mark_down(Reason.MISSED, "an event loop ended that knew which writes it has missed")

    # policy -------------------------------------------------------------------------------------------------------

    def prepare(self, config: Config, done: Callable[[Optional[Exception]], None]) -> None:
        """Makes the policy of a config, which `commit` will put into effect, in portions; then calls `done`. The hosts
        have their slots in the layout already."""

        def made(policy: Any, error: Optional[Exception]) -> None:
            self._next = policy
            done(error)

        self._health_changed.clear()
        in_portions(self.loop, self._making(config, self._policy.hosts), made, self._meanwhile())

    def commit(self, settled: Callable[[], None] = lambda: None) -> None:
        """Puts the prepared policy into effect; calls `settled` when nothing is left to do for it."""
        assert self._next is not None
        before, self._policy, self._next = self._policy, self._next, None
        self._take_over()

        def done(_result: Any, error: Optional[Exception]) -> None:
            if error is not None:
                logger.error("the new config serves, but not all of the one before is cleared away: %r", error)
            settled()

        in_portions(self.loop, self._settling_in(before.hosts, before), done, self._meanwhile())

    def _making(self, config: Config, known: Dict[str, Host]) -> Work:
        slots = {name: slot for slot, name in self._layout.hosts}

        def make(address: HostAddress) -> Host:
            return self._hosts.make(address, slots[address.text])

        return making_policy(config, known, make, lambda hosts: self._context(config, hosts))

    def _context(self, config: Config, hosts: Dict[str, Host]) -> RouteContext:
        return RouteContext(
            hosts,
            LocalRoute(__version__, self._stats.answer, self._do_locally, lambda: self.loop.now, len(hosts)),
            lambda: self.loop.now,
            self.loop.call_later,
            count=self._count,
            host_id=host_id(),
            spool=self._spool,
            ordered_pool_form=config.ordered_pool_form,
            **policy_options(self._settings),
        )

    def _count(self, event: str) -> None:
        self._cells[self._layout.events[event]] += 1

    def _load(self) -> RequestLoad:
        clients = self.frontend.clients.values()
        return RequestLoad(
            sum(len(client.queue) for client in clients),
            sum(client.stream.place is ClientPlace.WAITING for client in clients),
            self._load_of,
        )

    def _load_of(self, name: str) -> Tuple[float, int, int]:
        host = self._policy.hosts.get(name)
        return (host.timeout, *host.load()) if host is not None else (0.0, 0, 0)

    def _take_over(self) -> None:
        """Does all that must happen between two requests to put the policy into effect."""
        policy = self._policy
        self._since = unix_time()
        self._inquiries = None
        self._hosts.adapt(policy.hosts.values(), policy.config)
        policy.refresh(host for host in policy.hosts.values() if not host.healthy or host in self._health_changed)
        self.frontend.most_descriptors = most_for_clients(len(policy.hosts), self._settings.upstream_connections)
        self.frontend.route(policy.routes_by_command, policy.plan)
        self.frontend.refresh_fast_path(policy.has_host_down())

    def _settling_in(self, before: Dict[str, Host], policy: Optional[Policy] = None) -> Work:
        """Does what can be done a little later: watches new hosts, retires those that the config has no more, and frees
        the previous policy."""
        hosts = self._policy.hosts
        for address in self._policy.config.hosts:
            if address.text not in before:
                host = hosts[address.text]
                self._watchers[host] = self._watch(host, address)
                yield
        for name in before.keys() - hosts.keys():
            for watcher in self._watchers.pop(before[name]):
                watcher.stop()
            before[name].retire()
            yield
        if len(self._rows) > 1:
            self._peers.watch([host for host in hosts.values() if host.journal is not None])
        if policy is None:
            self.loop.call_soon(self._connect)
            return
        yield from each(list(hosts.values()), self._connect_host)
        yield from policy.taking_down()

    def _on_health(self, host: Host) -> None:
        self._policy.refresh([host])
        self._health_changed.add(host)
        self.frontend.refresh_fast_path(self._policy.has_host_down())

        if not host.healthy and self._policy.leaves_none_healthy(host):
            self._probe_at_once()

    def _probe_at_once(self) -> None:
        """Probes all hosts that are not healthy at once, as a client cannot be served without them: one of them may be
        back. While clients ask, this is repeated at the interval of the first probes of a host."""
        soon = first_pause(self._settings.healthcheck_interval, self._settings.probe_timeout_initial / 1000)
        if self._hurried and self.loop.now < self._hurried + soon:
            return
        self._hurried = self.loop.now
        for host in self._policy.hosts.values():
            if not host.healthy and host.prober is not None:
                host.prober.hurry()

    def _watch(self, host: Host, address: HostAddress) -> List[Any]:
        """Has the host's name resolved and its health probed."""
        settings = self._settings
        soon, most = settings.probe_timeout_initial / 1000, settings.probe_timeout_max / 1000
        prober = Prober(host, settings.healthcheck_interval, soon, most)
        if host.address is not None:
            prober.start()
            return [prober]

        def found(where: Tuple[int, Any]) -> None:
            first = host.address is None
            host.moved(where)
            if first:
                prober.start()

        def failed(reason: str) -> None:
            host.mark_down(Reason.UNRESOLVED, f"its name does not resolve: {reason}")

        ttl = settings.dns_cache_ttl
        resolver = Resolver(self._resolvers, address.host, address.port, ttl, host.timeout, found, failed)
        resolver.start()
        return [prober, resolver]

    def _connect(self) -> None:
        """Connects to all hosts in portions: clients are served meanwhile, and a host that they need is connected to
        at once."""

        def done(_result: Any, error: Optional[Exception]) -> None:
            if error is not None:
                raise error

        hosts = list(self._policy.hosts.values())
        in_portions(self.loop, each(hosts, self._connect_host), done, contextlib.nullcontext())

    def _connect_host(self, host: Host) -> None:
        if host.reachable and self._policy.hosts.get(host.name) is host:
            host.connect()

    # serving ------------------------------------------------------------------------------------------------------

    def run(self, listeners: Iterable[socket.socket]) -> None:
        """Serves until `stop`."""
        for sock in listeners:
            self.frontend.listen(sock)
        try:
            self.loop.run()
        finally:
            self._close()

    def _beat(self) -> None:
        """Notes in the counters that the loop runs, and how many lines of the log its process has dropped."""
        self._cells[self._layout.beat] = time.monotonic()
        dropped = lines_dropped()
        self._cells[self._layout.log_lines_dropped] += dropped - self._lines_dropped
        self._lines_dropped = dropped
        self.loop.call_later(_BEAT, self._beat)

    def take_clients(self, link: socket.socket) -> None:
        """Takes the clients of the predecessor, which come over `link`."""
        Arriving(self.frontend, link, self._is_stale)

    def _is_stale(self, name: str) -> None:
        host = self._policy.hosts.get(name)
        if host is not None and host.journal is not None:
            host.journal.overflow()
            host.stop_reads("it has missed writes before the restart")

    def hand_over(self, link: socket.socket) -> None:
        """Passes all clients on to another process, and ends. May be called from any thread."""
        self.loop.call_soon_threadsafe(lambda: self._leave(link))

    def _leave(self, link: socket.socket) -> None:
        def gone() -> None:
            hosts = self._policy.hosts.values()
            leaving.tell_stale(host.name for host in hosts if host.journal is not None and not host.healthy)
            self.loop.stop()

        leaving = Leaving(self.frontend, link, gone)
        leaving.start()
        self.loop.call_later(_LEAVE_MOST, lambda: self._drain(_LEAVE_DRAIN))

    def stop(self, drain: float) -> None:
        """Stops accepting clients, answers what is in flight for at most `drain` seconds, and ends. May be called from
        any thread, and in a signal handler."""
        self.loop.call_soon_threadsafe(lambda: self._drain(drain))

    def _drain(self, seconds: float) -> None:
        if self._drain_until is None:
            self._drain_until = self.loop.now + seconds
            self.frontend.on_empty = self.loop.stop
            self.frontend.drain()
            self.loop.call_later(seconds, self.loop.stop)

    def _close(self) -> None:
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.stop()
        self._resolvers.stop()
        self._peers.stop()
        self.frontend.close()
        if self._spool is not None:
            self._spool.close()
        for host in self._policy.hosts.values():
            host.close()
        self.loop.close()
        self._resolvers.join(_DNS_PATIENCE)

    def _do_locally(self, request: Any, steps: Iterator[int]) -> None:
        self.frontend.local_work.do(request, steps)

    def _inquire(self, key: bytes) -> Tuple[bytes, int]:
        """Returns the value of a key `__mcrouter__.NAME`, and about how many microseconds it took."""
        if self._inquiries is None:
            self._inquiries = inquiries.Inquiries(self._policy.config, self._since, self._settings, self._unhealthy)
        cost = self._inquiries.cost(key)
        return self._inquiries.answer(key), cost

    def _unhealthy(self) -> Iterable[str]:
        return [host.name for host in self._policy.hosts.values() if not host.healthy]

"""A router whose time is the test's: its loop runs in the test's thread, over real sockets and a clock that stands still.

    world = Still(route="DefaultRoute")             a router before one host; `hosts=2` for more
    host, client = world.hosts[0], world.client()
    sock = world.connection()                             the router's connection to it
    client.sendall(b"get a\\r\\n")
    world.sees(sock, b"get a\\r\\n")                the host is asked this
    sock.sendall(b"END\\r\\n")
    world.sees(client, b"END\\r\\n")
    world.pass_to(1.5)                              timers fire, each when it is due; `world.now` is the time

What waits for the kernel lets no time pass; what lets time pass waits for nothing.
"""

import contextlib
import json
import os
import select
import socket
import time
from typing import Any, Callable, Dict, Iterator, List
from unittest import mock

from mcrouter import Router, Settings, load_config
from mcrouter.counters.layout import BUCKETS_MS
from mcrouter.engine.loop import PollGroup
from mcrouter.engine.poller import make_poller
from tests.support.processes import DEADLINE

START = 1000.0  # seconds, on a clock that begins anywhere
SOON = 1 / 1024  # seconds


class Chance:
    """In the place of `random.Random` in the loop: each draw is the least that may be drawn, or the most."""

    def __init__(self) -> None:
        self.most = True

    def uniform(self, least: float, most: float) -> float:
        """The least or the most."""
        return most if self.most else least

    def random(self) -> float:
        """The same, between 0 and 1."""
        return self.uniform(0.0, 1.0)


class StillPoller:
    """The platform's poller, which waits for nothing: where it would wait for a timer, the clock moves on, as far as it
    may."""

    def __init__(self) -> None:
        self._real = make_poller()
        self.now = START
        self.may_pass = 0.0  # seconds
        for name in ("add_stream", "add_listener", "want_write", "remove", "close"):
            setattr(self, name, getattr(self._real, name))

    def poll(self, patience: float = -1) -> Any:
        """What is ready now; if nothing is, time passes up to the next timer."""
        events = self._real.poll(0)
        if not events and self.may_pass > 0:
            step = self.may_pass if patience < 0 else min(patience, self.may_pass)
            self.may_pass -= step
            self.now += step
        return events


class HostListener:
    """Where a host listens."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.name = "127.0.0.1:%d" % self.listener.getsockname()[1]


class Still:
    """A router and the hosts before which it stands. Use it in a `with`."""

    def __init__(self, hosts: int = 1, route: Any = "DefaultRoute", on_rejoin: str = "ignore", **settings: Any) -> None:
        self.hosts = [HostListener() for _ in range(hosts)]
        config = {"orderedPool": [host.name for host in self.hosts], "route": route, "onRejoin": on_rejoin}
        defaults = {"listen": "tcp://127.0.0.1:0", "metrics_listen_addr": "off", "upstream_connections": 1,
                    "healthcheck_interval": 1000.0, "timeout_ms": 1000}  # fmt: skip
        self.router = Router(load_config(json.dumps(config)), Settings(**{**defaults, **settings}))
        self._poller = StillPoller()
        self.loop = PollGroup(self._poller, lambda: self._poller.now)
        self.chance: Any = Chance()
        self.loop.chance = self.chance
        with mock.patch("mcrouter.server.worker.PollGroup", lambda: self.loop):
            self.worker = self.router._make_worker()
        self._front = socket.create_server(("127.0.0.1", 0))
        self.worker.frontend.listen(self._front)
        self.visits: Dict[int, socket.socket] = {}  # the connections of the hosts' probes, by the hosts' places
        self._open = contextlib.ExitStack()

    def __enter__(self) -> "Still":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        for host in self.hosts:
            host.listener.close()
        self.worker._close()

    @property
    def now(self) -> float:
        """Seconds since the beginning, on the router's clock."""
        return self._poller.now - START

    def upstream(self, place: int = 0) -> Any:
        """The engine's host at this place."""
        return self.worker._policy.hosts[self.hosts[place].name]

    def stats(self, place: int = 0) -> Any:
        """What is counted of a host."""
        return self.router.stats()["hosts"][self.hosts[place].name]

    # the kernel ---------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """One tick, which lets no time pass and waits for nothing."""
        self.loop.call_soon(lambda: None)
        self.loop.tick()

    def until(self, done: Callable[[], Any], what: str) -> Any:
        """Ticks until `done()` is true, and returns it. No time passes on the router's clock."""
        end = time.monotonic() + DEADLINE
        while True:
            self.tick()
            result = done()
            if result:
                return result
            assert time.monotonic() < end, f"waited in vain for {what}"
            time.sleep(0.0005)

    def _keep(self, sock: socket.socket) -> socket.socket:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(DEADLINE)
        return self._open.enter_context(sock)

    def client(self) -> socket.socket:
        """A client, which the router has accepted."""
        count = len(self.worker.frontend.clients)
        sock = self._keep(socket.create_connection(self._front.getsockname()))
        self.until(lambda: len(self.worker.frontend.clients) > count, "the client to be accepted")
        return sock

    def frontend_connection(self, client: socket.socket) -> Any:
        """The number of the connection to each host that a client's requests take."""
        name = client.getsockname()
        for one in self.worker.frontend.clients.values():
            with socket.socket(fileno=os.dup(one.fd)) as sock:
                if sock.getpeername() == name:
                    return one.connection_number
        raise LookupError(name)

    def accept(self, host: HostListener) -> socket.socket:
        """The next connection to the host."""
        self.until(lambda: is_ready(host.listener), "a connection")
        return self._keep(host.listener.accept()[0])

    def connection(self, place: int = 0) -> socket.socket:
        """The router's first connection for requests to a host, once it is up; the first visit of the host is answered.
        Call it once for each host."""
        host, connections = self.hosts[place], self.upstream(place).connections
        ours = [self.accept(host) for _ in range(1 + len(connections))]
        visit = self.until(lambda: next((sock for sock in ours if is_ready(sock)), None), "a visit")
        self.sees(visit, b"version\r\n")
        visit.sendall(b"VERSION 1.6\r\n")
        self.visits[place] = visit
        self.until(lambda: all(connection.is_open() for connection in connections), "the connections to be up")
        self.until(lambda: not is_ready(self.upstream(place).prober.wire.sock), "the answer to be read")
        name = connections[0].wire.sock.getsockname()
        return next(sock for sock in ours if sock.getpeername() == name)

    def sees(self, sock: socket.socket, data: bytes) -> None:
        """The router has sent exactly this, once all of it is there."""
        got = b""
        while len(got) < len(data):
            self.until(lambda: is_ready(sock), f"{data[-100:]!r} after {len(got)} bytes, {got[-100:]!r}")
            more = sock.recv(1 << 20)
            assert more, f"closed after {len(got)} bytes, {got[-100:]!r}"
            got += more
        assert got == data if len(data) < 1000 else (len(got), got == data) == (len(data), True)

    def is_closed(self, sock: socket.socket) -> None:
        """The router closes this connection without another word."""
        self.until(lambda: is_ready(sock), "the end")
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(100) == b""

    # time ---------------------------------------------------------------------------------------------------------

    def pass_to(self, moment: float) -> None:
        """Lets time pass up to this moment, in seconds since the beginning: each timer fires when it is due. Nothing
        may be under way in the kernel."""
        poller = self._poller
        poller.may_pass = START + moment - poller.now
        assert poller.may_pass >= 0, f"it is {self.now} already"
        while poller.may_pass > 0:
            self.loop.tick()
        self.tick()

    def happens_after(self, seconds: float, done: Callable[[], Any], what: str) -> None:
        """It happens so many seconds from now, or a hair less, and not before; it is then a hair later."""
        moment = self.now + seconds
        self.pass_to(moment - 2 * SOON)
        assert not done(), f"{what} before {seconds} s have passed"
        self.pass_to(moment + SOON)
        self.until(done, what)


def is_ready(sock: socket.socket) -> bool:
    """Whether there is anything to read, or accept."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


@contextlib.contextmanager
def full(host: HostListener) -> Iterator[None]:
    """Meanwhile no connection to the host comes about, and none is refused: its queue is full."""
    name = host.listener.getsockname()
    host.listener.listen(0)
    with contextlib.ExitStack() as stack:
        fillers: List[socket.socket] = []
        for _ in range(3):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(name)
            fillers.append(sock)
        yield


class Counts:
    """What has been counted of requests by one command since the last look: see counters/layout.py."""

    def __init__(self, world: Still, command: str, place: int = 0) -> None:
        layout = world.router._layout
        number = layout.commands.index(command)
        self._cells = world.worker._cells
        self._blocks = {"direct": layout.direct[place][number], "upstream": layout.upstream[place][number],
                        "request": layout.request[number]}  # fmt: skip

    def times(self, what: str) -> Any:
        """How often it took at most so many milliseconds, by bucket, and the sum of milliseconds."""
        first = self._blocks[what]
        counts = self._cells[first : first + len(BUCKETS_MS) + 1]
        by_bucket = {ms: count for ms, count in zip([*BUCKETS_MS, None], counts) if count}
        return by_bucket, round(self._cells[first + len(BUCKETS_MS) + 1], 3)

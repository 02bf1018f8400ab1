"""What all clients of an event loop share, and the listener that accepts them."""

import errno
import socket
from bisect import bisect_left
from typing import TYPE_CHECKING, Callable, Dict, List, Optional, Sequence, Set, Tuple

from ...proto import outcomes as o
from ...proto.client.parser import RunPlan
from ...proto.commands import COMMANDS, READ
from ...proto.replies import NO_MEMORY
from ...proto.request import GET, MOST_COMMANDS, SET, Request
from ...proto.runs import RequestPatterns, request_patterns
from ...proto.styles import MEMCACHED, Memcached
from ...system.logs import get_logger
from ..descriptors import lowest_free
from ..loop import PollGroup
from ..stream import SocketStream
from .connection import ClientConnection
from .limits import ClientLimits, Doorman, close_idle
from .local_work import BYTES, LocalWork, Steps
from .memory import Memory
from .outbox import FIRST_WINDOW

if TYPE_CHECKING:
    from ...proto.seams import AnyRoute, ServingRoute, Sink
    from ..hosts.tally import Cells
    from ..seams import Served, SharedConnection
    from .call import ProgramCall
    from .handover import Leaving

logger = get_logger(__name__)

NO_LIMITS = ClientLimits()
_REQUESTS_MADE = 2  # requests to hosts that a command may make for each place that it takes in its client's window
_ACCEPTS = 64  # connections accepted before others have their turn
_NEAR = 2 * _ACCEPTS  # so many descriptors before the limit, each accept checks it
_KEY_COST = 10  # of a key of an inquiry whose value is known
_TOO_LONG = b"ERROR: the answer is longer than %d bytes; ask for fewer keys at a time"
_ACCEPT_PAUSE = 0.2  # seconds without accepting when descriptors have run out


class Frontend:
    """What all clients of an event loop share: routes by command, the parser's plan, counters, limits."""

    def __init__(
        self,
        loop: PollGroup,
        cells: "Cells",
        bounds: Sequence[float],
        histograms: Sequence[int],
        clients_cell: int,
        accepted_cell: int,
        errors_cell: int,
        connections_per_host: int = 2,
        buffer_size: int = 1 << 20,
        limits: ClientLimits = NO_LIMITS,
        count_clients: Optional[Callable[[], int]] = None,
        style: Memcached = MEMCACHED,
    ) -> None:
        self.loop = loop
        self.cells = cells
        self.bounds = bounds
        self.histograms = histograms  # by command: first cell of its histogram
        self._clients_cell, self._accepted_cell, self._errors_cell = clients_cell, accepted_cell, errors_cell
        self.connections_per_host = connections_per_host
        self.buffer_size = buffer_size
        self.routes_by_command: List[AnyRoute] = []  # by command, the engine's own last
        self._serving: Sequence[ServingRoute] = ()  # those of the policy
        self.weights: List[int] = []
        self.run_weight = 1  # of a command that may be part of a run
        # By a client's connection number, then by command: the connection that the request may go to directly.
        self.fast_path: List[List[Optional[SharedConnection]]] = [
            [None] * MOST_COMMANDS for _ in range(connections_per_host)
        ]
        # By command: the route that knows it, once it has the key.
        self.keyed: List[Optional[ServingRoute]] = [None] * MOST_COMMANDS
        self.plan = RunPlan()
        # The value that answers an inquiry, by a get's key, and its cost in microseconds (local_work.py).
        self.inquire: Callable[[bytes], Tuple[bytes, int]] = lambda key: (b"", 0)
        self.local_work = LocalWork(loop)
        self.needs_ordering = False  # whether any route may ask a second host after the first
        self.patterns: RequestPatterns = request_patterns()
        self.style = style
        self.clients: Dict[int, ClientConnection] = {}
        self.calls: Set[ProgramCall] = set()  # of the program around the router (call.py), in flight
        self.draining = False
        self.listeners: List[Listener] = []
        self.most_descriptors = 1 << 30  # from this number on they are for hosts (descriptors.py)
        self._accepted = 0
        self.on_empty: Optional[Callable[[], None]] = None  # called once the last client has gone
        self.on_unserved: Callable[[], None] = lambda: None  # called when a request could be sent to no host
        self.doorman = Doorman(loop, limits.connections, count_clients or (lambda: len(self.clients)))
        if limits.idle:
            close_idle(self, limits.idle)
        self.first_window = FIRST_WINDOW  # of a new client: how many commands it may have in flight
        self.memory = Memory(self, limits.memory)
        self.leaving: Optional[Leaving] = None  # hands the clients over to the next process

    def route(self, routes_by_command: "Sequence[ServingRoute]", plan: RunPlan) -> None:
        """Puts a policy into effect: a route for each command of the table."""
        self._serving = routes_by_command
        self.routes_by_command = [*routes_by_command, _Answered(), _Close(), _Inquiry(self)]
        self.plan = plan
        for asker in (*self.clients.values(), *self.calls):
            asker.stream.parser.plan = plan
        self.needs_ordering = any(route.may_ask_another_host for route in routes_by_command)
        # By command: what it, or each key of a get, takes of its client's window (inbox.py).
        self.weights = [max(1, route.cost // _REQUESTS_MADE) for route in routes_by_command] + [1] * (
            len(self.routes_by_command) - len(routes_by_command)
        )
        self.run_weight = max(self.weights[GET], self.weights[SET])
        self.refresh_fast_path()

    def refresh_fast_path(self, records_missed: bool = False) -> None:
        """Finds anew which hosts requests may go to directly, after a host has gone down or come up. While one is down
        whose missed writes are recorded (`records_missed`), writes take the general way."""
        for command in COMMANDS:
            is_general = records_missed and command.kind != READ
            route = self._serving[command.number]
            self.keyed[command.number] = None if is_general or not route.keyed else route
            host = None if is_general or route.keyed else route.direct_host(None)
            for number, row in enumerate(self.fast_path):
                row[command.number] = None if host is None else host.connections[number]

    def listen(self, sock: socket.socket) -> None:
        """Accepts clients from a listening socket."""
        self.listeners.append(Listener(self, sock))

    def adopt(self, sock: socket.socket, begun: bytes = b"") -> None:
        """Serves an accepted connection; `begun` is what has been read of it already."""
        sock.setblocking(False)
        if sock.family != getattr(socket, "AF_UNIX", None):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = SocketStream(sock)
        fd = wire.fd
        self._accepted += 1
        self.cells[self._accepted_cell] += 1
        self.cells[self._clients_cell] += 1
        client = self.clients[fd] = ClientConnection(self, wire, self._accepted % self.connections_per_host)
        self.loop.watch(fd, client.on_event)
        if begun:
            client.begin(begun)

    def forget(self, client: "Served") -> None:
        """Drops a client whose connection is closed."""
        del self.clients[client.fd]
        self.cells[self._clients_cell] -= 1
        self.check_empty()

    def check_empty(self) -> None:
        """Calls `on_empty` once the last client has gone."""
        if self.on_empty is not None and not self.clients and not self.calls:
            self.on_empty()

    def count(self, request: Request, outcomes: bytes = b"") -> None:
        """Counts an answered request or run; `outcomes` are those of its commands, empty for a success."""
        if outcomes not in o.ANSWERS:  # or they are those of a run
            self.cells[self._errors_cell] += len(outcomes.translate(None, o.ANSWERS))
            if outcomes.translate(None, o.NEVER_SENT) != outcomes:
                self.on_unserved()
        commands, cells = request.commands, self.cells
        ms = (self.loop.now - request.started) * 1000
        bucket = bisect_left(self.bounds, ms)
        for kind in commands if len(commands) == 1 else set(commands):
            count = commands.count(kind)
            first = self.histograms[kind]
            cells[first + bucket] += count
            cells[first + len(self.bounds) + 1] += ms * count

    def stop_listening(self) -> None:
        """Accepts no client any more."""
        for listener in self.listeners:
            listener.close()
        self.listeners.clear()

    def drain(self) -> None:
        """Stops accepting; closes each client as soon as its requests are answered."""
        self.draining = True
        self.stop_listening()
        for client in list(self.clients.values()):
            client.drain()
        self.check_empty()

    def close(self) -> None:
        """Ends all connections at once."""
        self.drain()
        for client in list(self.clients.values()):
            client.abort()
        for call in list(self.calls):
            call.abort()


class _Answered:
    """The route of requests that the parser has answered."""

    may_ask_another_host = False
    cost = 1

    def start(self, request: Request, sink: "Sink") -> None:
        """Answers at once."""
        request.client.deliver(request, request.data)


class _Close:
    """The route of a request at which the connection is closed, after a last line or without one."""

    may_ask_another_host = False
    cost = 1

    def start(self, request: Request, sink: "Sink") -> None:
        """Closes the connection once all earlier requests are answered."""
        request.client.deliver(request, request.data)
        request.client.drain()


class _Inquiry:
    """The route of a get whose keys ask the router itself: its answers are the values."""

    may_ask_another_host = False
    cost = 1

    def __init__(self, frontend: Frontend) -> None:
        self._frontend = frontend

    def start(self, request: Request, sink: "Sink") -> None:
        """Answers at once, or in the next ticks."""
        self._frontend.local_work.do(request, self._answering(request))

    def _answering(self, request: Request) -> Steps:
        """Answers in steps, one a key. A key that repeats is answered once, and none once the answer is too long."""
        client, most, memory = request.client, self._frontend.buffer_size, self._frontend.memory
        unique = b" 0" if request.data.startswith(b"gets ") else b""
        known: Dict[bytes, bytes] = {}
        blocks: List[bytes] = []
        size = 0
        for key in request.keys():
            cost = _KEY_COST
            if size > most:
                value = _TOO_LONG % most
            elif key in known:
                value = known[key]
            elif client.awaits(request):
                value, cost = self._frontend.inquire(key)
                known[key] = value
            else:
                return
            blocks.append(b"VALUE %b 0 %d%b\r\n%b\r\n" % (key, len(value), unique, value))
            size += len(blocks[-1])
            client.gather(request, len(blocks[-1]))
            memory.grew(len(blocks[-1]))
            if memory.is_short and client.awaits(request) and not client.may_hold(len(blocks[-1])):
                client.deliver(request, NO_MEMORY)
                return
            yield cost + len(blocks[-1]) // BYTES
        if client.awaits(request):
            client.deliver(request, b"".join([*blocks, b"END\r\n"]))


class Listener:
    """A listening socket; accepts in portions, and pauses when the process has no descriptors left."""

    def __init__(self, frontend: Frontend, sock: socket.socket) -> None:
        self.frontend = frontend
        self.sock = sock
        self._closed = False
        self._starved = False  # no descriptor was left; logged once, until no client waits any more
        self._newest = 0  # the number of the newest descriptor that it knows of
        sock.setblocking(False)
        frontend.loop.watch_listener(sock.fileno(), self.on_event)

    def on_event(self, _mask: int) -> None:
        """Accepts the clients that wait."""
        for _ in range(_ACCEPTS):
            try:
                if not self._has_room():
                    self._pause("what is left is kept for hosts")
                    return
                sock, _peer = self.sock.accept()
            except BlockingIOError:
                if self._starved:
                    self._starved = False
                    logger.info("all clients that waited are accepted")
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    self._pause(str(error.strerror))
                    return
                continue  # that client has closed its connection already (ECONNABORTED and the like)
            self._newest = sock.fileno()
            if self.frontend.doorman.admits(sock):
                self.frontend.adopt(sock)

    def _has_room(self) -> bool:
        """Returns whether a client may have the next descriptor. Two system calls are spent only near the limit."""
        most = self.frontend.most_descriptors
        if self._newest + _NEAR >= most:
            self._newest = lowest_free(self.sock.fileno())
        return self._newest < most

    def _pause(self, why: str) -> None:
        if not self._starved:
            logger.error("cannot accept clients: %s; they wait until there is room (ulimit -n)", why)
        self._starved = True
        loop = self.frontend.loop
        loop.unwatch(self.sock.fileno())
        loop.call_later(_ACCEPT_PAUSE, self._again)

    def _again(self) -> None:
        if not self._closed:
            self.frontend.loop.watch_listener(self.sock.fileno(), self.on_event)
            self.on_event(0)

    def close(self) -> None:
        """Stops accepting. The socket is closed with the tick."""
        if not self._closed:
            self._closed = True
            self.frontend.loop.close_later(self.sock.detach())

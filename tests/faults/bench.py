"""The bench: a router in this process before scripted backends, and pairs of clients that share its connections.

A `Case` is one fault in the reply to one request of a victim, while an innocent has a request in flight on the same
upstream connection. What must hold: everybody gets the right answer or one SERVER_ERROR line, in time, and is in step
afterwards.
"""

import collections
import contextlib
import itertools
import logging
import os
import threading
from typing import NamedTuple, Tuple
from unittest import mock

from mcrouter import Router, Settings, load_config
from mcrouter.engine.loop import PollGroup
from tests.faults.backend import DEADLINE, Backend, Store
from tests.faults.client import Client
from tests.faults.clock import STEP, Clock
from tests.support.processes import config, until

TIMEOUT_MS = 150
PATIENCE = TIMEOUT_MS / 1000 + 2.0  # seconds of the router; the promise is 0.2 above the timeout, the rest is for a test
# that has no turn when its answer comes
SHARED = {b"innocent": b"a value of the innocent", b"another": b"what the victim asks next"}
RIGHT = {key: Store(SHARED).answer([b"get", key], b"") for key in SHARED}
WORST = collections.Counter()  # fault to the longest that a victim waited, in ms; `SHOW=1 pytest -s` prints it
NOREPLY = b" noreply\r\n"
READS = (b"get", b"gets", b"mg")
LOST = ("cut", "reset", "garbage", "twice")  # after which the router knows that the connection is of no more use
_NUMBER = itertools.count()


class Shape(NamedTuple):
    """A victim's requests. The one of which the reply is spoilt names `@`, which stands for a key of the case's own;
    `values` is what the backends know of that key."""

    name: str
    requests: Tuple[bytes, ...]
    values: Tuple[Tuple[bytes, bytes], ...] = ((b"@", b"12345"),)

    def spoilt(self):
        """Which of its requests names the key."""
        return next(at for at, request in enumerate(self.requests) if b"@" in request)

    def reads(self):
        """Whether it changes nothing."""
        return all(request.split()[0] in READS for request in self.requests)

    def answers(self):
        """What the backend says if it is let."""
        store = Store([*self.values, *SHARED.items()])
        parts = (request.partition(b"\r\n") for request in self.requests)
        return [store.answer(line.split(), data[:-2]) for line, _, data in parts]

    def shown(self):
        """What of this the victim gets to see: the router swallows the rest, and errors in place of it as well."""
        both = zip(self.requests, self.answers())
        return [answer for request, answer in both if NOREPLY not in request]


SHAPES = (
    Shape("get", (b"get @\r\n",)),
    Shape("multi-key get", (b"get innocent absent @ another\r\n",)),
    Shape("mg", (b"mg @ v k\r\n",)),
    Shape("set", (b"set @ 0 0 5\r\n54321\r\n",)),
    Shape("ms", (b"ms @ 5\r\n54321\r\n",)),
    Shape("incr", (b"incr @ 5\r\n",)),
    Shape("delete", (b"delete @\r\n",)),
    Shape("noreply", (b"set @ 0 0 5 noreply\r\n54321\r\n", b"get another\r\n")),
    Shape("run", (b"get another\r\n", b"get @\r\n", b"get innocent\r\n", b"get another\r\n")),
    Shape("run of sets", (b"set x 0 0 1\r\n1\r\n", b"set @ 0 0 1\r\n2\r\n", b"set y 0 0 1\r\n3\r\n", b"get another\r\n")),
)


def is_error(answer):
    """Whether it is one SERVER_ERROR line."""
    return answer.startswith(b"SERVER_ERROR ") and answer.endswith(b"\r\n") and answer.count(b"\n") == 1


class Errors(logging.Handler):
    """What the router logged as an error: a bug of its own."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.records = []

    def emit(self, record):
        self.records.append(record)


class Bench:
    """Backends, a router before them and, for each of its lanes, a victim and an innocent that ride it.

    Unless `rejoin` says otherwise, a host of which a write is spoilt is read on, so that the next fault can strike.
    `clock` is the router's: nothing times out but by a fault.
    """

    def __init__(self, hosts=1, connections=1, route="DefaultRoute", rejoin="ignore", **settings):
        self.backends = [Backend(SHARED) for _ in range(hosts)]
        self.clock = Clock(self.backends)
        self.connections, self._route, self._rejoin = connections, route, rejoin
        self._settings = {"timeout_ms": TIMEOUT_MS, "timeouts_until_tko": 1_000_000, "healthcheck_interval": 0.05,
                          "metrics_listen_addr": "off", **settings}  # fmt: skip
        self.agrees = rejoin != "ignore"  # whether the hosts come to have the same values
        self._errors = Errors()
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        for backend in self.backends:
            self._stack.enter_context(backend)
        text = config([f"127.0.0.1:{backend.port}" for backend in self.backends], self._route)
        text = f"{text}\nonRejoin: {self._rejoin}\n"
        settings = Settings(listen="tcp://127.0.0.1:0", upstream_connections=self.connections, **self._settings)
        logging.getLogger("mcrouter").addHandler(self._errors)
        with mock.patch("mcrouter.server.worker.PollGroup", lambda: PollGroup(clock=self.clock)):
            self.router = self._stack.enter_context(Router(load_config(text), settings))
        self.port = int(self.router.addresses[0].rpartition(":")[2])
        clients = [self.client() for _ in range(2 * self.connections)]  # the router gives them to its lanes by turns
        self.pairs = list(zip(clients, clients[self.connections :]))
        for client in clients:  # so that no lane is still on its way to the backends
            until(lambda c=client: c.send(b"get innocent\r\n").answer() == RIGHT[b"innocent"], "the lanes to be up")
        return self

    def __exit__(self, *exc):
        for backend in self.backends:
            backend.release()
        self._stack.__exit__(*exc)
        logging.getLogger("mcrouter").removeHandler(self._errors)
        if exc[0] is None:
            assert not self._errors.records, self._errors.records[0].getMessage()

    def client(self):
        """One more client, on the next lane."""
        return self._stack.enter_context(Client(self.port))

    def let_pass(self, seconds):
        """Lets so much time pass for the router, of which the clock is held, and makes nothing late that is under way."""
        for _ in range(round(seconds / STEP)):
            until(lambda: not any(backend.has_work() for backend in self.backends), "the backends to do their work")
            self.clock.step()
            ticked = threading.Event()
            self.router._worker.loop.call_soon_threadsafe(ticked.set)
            assert ticked.wait(DEADLINE)

    def run(self, cases):
        """Runs cases, as many at a time as there are lanes."""
        for at in range(0, len(cases), self.connections):
            under_way = [Case(self, pair, *case) for pair, case in zip(self.pairs, cases[at:])]
            for step in (Case.begin, Case.is_answered, Case.release, Case.serves_again):
                for case in under_way:
                    step(case)


class Case:
    """One fault in the reply to one request."""

    def __init__(self, bench, pair, shape, kind, at, times=1):
        self.bench, self.shape, self.kind, self.at, self.times = bench, shape, kind, at, times
        self.victim, self.innocent = pair
        self.backend = bench.backends[0]
        self.key = b"k%04d" % next(_NUMBER)

    def __repr__(self):
        return f"{self.shape.name}, {self.kind} at {self.at}, {self.times} times"

    def begin(self):
        """Asks, and has the innocent ask once the request is where its reply will be spoilt."""
        requests = [request.replace(b"@", self.key) for request in self.shape.requests]
        self.lines = [request.replace(NOREPLY, b"\r\n").partition(b"\r\n")[0] for request in requests]
        for backend in self.bench.backends:
            backend.store.values.update((self.key, value) for _, value in self.shape.values)
        behind = len(requests) - self.shape.spoilt()
        self.fault = self.backend.fault(self.key, self.kind, self.at, behind, self.times)
        self.began = self.bench.clock.now
        self.victim.send(b"".join(requests))
        assert self.fault.arrived.wait(DEADLINE), f"{self}: never asked"
        self.innocent.send(b"get innocent\r\n")

    def is_answered(self):
        """Everybody is, rightly or with one error."""
        rights = [right.replace(b"@", self.key) for right in self.shape.shown()]
        rightly = [self._check("victim", self.victim.answer(), right) for right in rights]
        took = self.bench.clock.now - self.began
        WORST[self.kind] = max(WORST[self.kind], round(took * 1000))
        assert took < PATIENCE, f"{self}: answered after {took:.3f} s"
        fine = self._check("innocent", self.innocent.answer(), RIGHT[b"innocent"])
        if self.kind in LOST and self.times < 2:
            assert fine and (all(rightly) or not self.shape.reads()), f"{self}: a read was not tried again"
        for line in self.lines:
            if line.split()[0] not in READS and self.key in line:
                assert all(backend.seen[line] <= 1 for backend in self.bench.backends), f"{self}: {line} asked twice"

    def release(self):
        """The fault is over, while the victim has its next request in flight."""
        if self.kind == "refuse":
            assert self.fault.struck.wait(DEADLINE), f"{self}: never struck"
            self.backend.listen()
        self.victim.send(b"get another\r\n")
        self.fault.go.set()

    def serves_again(self):
        """The next requests are answered rightly, at the latest when the router has found its connection lost."""
        self._check("victim, next,", self.victim.answer(), RIGHT[b"another"])
        for who, client in (("victim", self.victim), ("innocent", self.innocent)):
            until(lambda who=who, client=client: self._served(who, client), f"{self}: {who} to be served again")
        del self.backend.faults[self.key]

    def _served(self, who, client):
        """Whether it has the right answer, and the host whose connection was spoilt has been asked for it."""
        key = b"%b-%b" % (self.key, who.encode())
        for backend in self.bench.backends:
            backend.store.values[key] = b"of " + key
        answer = client.send(b"get %b\r\n" % key).answer()
        right = self._check(f"{who}, next,", answer, Store({key: b"of " + key}).answer([b"get", key], b""))
        return right and self.backend.seen[b"get " + key] > 0

    def _check(self, who, answer, right):
        assert answer == right or is_error(answer), f"{self}: {who} got {answer}, not {right}"
        return answer == right


def places(shape):
    """Every place in the reply to be spoilt, its end included."""
    reply = shape.answers()[shape.spoilt()].replace(b"@", b"k0000")
    return range(len(reply) + 1)


def every(commands, shapes=SHAPES, times=(1,)):
    """A case for each fault at each place of each shape."""
    return [(shape, kind, at, n) for kind in commands for shape in shapes for at in places(shape) for n in times]


def show():
    """Prints the longest waits, if that is wanted."""
    if os.environ.get("SHOW"):
        print("\nthe longest waits, ms:", dict(WORST))


@contextlib.contextmanager
def timed(bench):
    """Gives a function that says how long the block took, in seconds by the router's clock."""
    began, ended = bench.clock.now, []
    yield lambda: ended[0] - began
    ended.append(bench.clock.now)

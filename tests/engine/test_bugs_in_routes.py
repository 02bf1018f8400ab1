"""A bug in any route, in any method that the engine or another route calls, costs the requests that it meets, and no others.

Two clients' requests meet the bugs; a third one shares a connection to a host with the first of them. Under each handle, in turn, every `start`, `go_on`, `on_reply` and `first` of the routes' and the engine's classes raises.
Whatever is asked is answered once and in order, as it should be or with an error; where a large value has begun, the
connection may be closed. Nothing is left under way, and without the bug the same router serves as before.
"""

import collections
import contextlib
import importlib
import inspect
import json
import logging
import pkgutil
import re
import socket
import threading
import time
import unittest.mock
from typing import Any, List, NamedTuple, Tuple

import pytest

import mcrouter.routes
from mcrouter import Router, Settings, load_config
from mcrouter.engine.hosts.connections.meta_check import MetaCheck
from mcrouter.proto.replies import value_blocks
from mcrouter.routes.framework import base, held, portions
from mcrouter.routes.handles import HANDLES, INTERNAL, ORDERED_POOL_HANDLES
from tests.proto.feeding import ClientFeed, HostFeed
from tests.support.processes import until
from tests.support.talking import TalkingHost, refusing_address
from tests.support.wire import MARK, Wire

METHODS = ("start", "after_failure", "resume", "on_reply", "direct_host")
ENGINE = ("clients.source", "clients.large_values", "hosts.connections.meta_check")
LARGE = 400_000  # bytes; more than the buffers below
BUFFER = 4096
INTERNAL_ERROR = b"SERVER_ERROR mcrouter: internal error\r\n"


def _modules():
    for info in pkgutil.walk_packages(mcrouter.routes.__path__, "mcrouter.routes."):
        yield importlib.import_module(info.name)
    for name in ENGINE:
        yield importlib.import_module(f"mcrouter.engine.{name}")


FOUND = sorted(
    {
        (cls, name)
        for module in _modules()
        for cls in vars(module).values()
        if inspect.isclass(cls) and cls.__module__.startswith(("mcrouter.routes.", "mcrouter.engine."))
        for name in METHODS
        if inspect.isfunction(vars(cls).get(name))
    },
    key=lambda found: (found[0].__module__, found[0].__qualname__, found[1]),
)


NOT_TAKEN = {
    (base.Route, "start"), (base.Sink, "on_reply"),  # abstract
    (portions._Portion, "on_reply"),  # tests/routes/test_rate_limit.py divides runs
    (held.Held, "resume"),  # for clients that have not read for a while; the engine calls Download.resume, which is taken
}  # fmt: skip


# configs ----------------------------------------------------------------------------------------------------------

A, B, C, DEAD, BOTH, ALL = (f"PoolRoute|{name}" for name in ("A", "B", "C", "dead", "both", "all"))
ERROR = "ErrorRoute|no"
OTHERS = ("gets", "gat", "gats", "replace", "prepend", "append", "decr", "touch")  # what the innocent client asks


class Case(NamedTuple):
    """A policy; `route` makes what is tested. `varies`: two clients that ask the same twice may be answered otherwise."""

    name: str
    route: Any
    pools: Any = {}
    seed: Any = ()
    varies: bool = False


def _of(handle: str, *children: Any, **more: Any) -> Any:
    return {"type": handle, "children": list(children), **more}


def _to(handle: str, target: Any, **more: Any) -> Any:
    return {"type": handle, "target": target, **more}


_LIMITED = _to("OutstandingLimitRoute", _of("FailoverRoute", A, B), max_outstanding=1)
_MISS = _of("MissFailoverRoute", A, B)
CASES = [
    Case("OperationSelectorRoute", {"type": "OperationSelectorRoute", "operation_policies": {"get": A}}),
    Case("PrefixSelectorRoute", {"type": "PrefixSelectorRoute", "policies": {"pm": A, "p": B}, "wildcard": C}),
    Case("DefaultRoute", _of("DefaultRoute", A, B)),
    Case("DefaultRoute, seed", "DefaultRoute", seed=("dead", "A", "B")),
    Case("LocalRoute", "LocalRoute"),
    Case("NullRoute", "NullRoute"),
    Case("DevNullRoute", "DevNullRoute"),
    Case("ErrorRoute", ERROR),
    Case("HashRoute", _of("HashRoute", A, B, C)),
    Case("HashRoute, PoolRoute", ALL),
    Case("AllSyncRoute", _of("AllSyncRoute", A, B)),
    Case("AllSyncRoute, over limits", _of("AllSyncRoute", _LIMITED, B), varies=True),
    Case("AllSyncRoute, in parts", _of("AllSyncRoute", A, B)),
    Case("AllMajorityRoute", _of("AllMajorityRoute", A, B, ERROR), varies=True),
    Case("AllInitialRoute", _of("AllInitialRoute", A, B, DEAD)),
    Case("AllAsyncRoute", _of("AllAsyncRoute", _LIMITED, B)),
    Case("AllFastestRoute", _of("AllFastestRoute", A, B, DEAD), varies=True),
    Case("AllFastestRoute, seed", "AllFastestRoute", seed=("A", "B", "dead"), varies=True),
    Case("MissFailoverRoute", _of("MissFailoverRoute", A, B)),
    Case("MissFailoverRoute, over others", _of("MissFailoverRoute", ERROR, _LIMITED, ALL)),
    Case("MissFailoverRoute, seed", "MissFailoverRoute", seed=("A", "B", "dead")),
    Case("ModifyKeyRoute", _to("ModifyKeyRoute", _MISS, ensure_key_prefix="x:")),
    Case("ModifyExptimeRoute", _to("ModifyExptimeRoute", _MISS, exptime=60)),
    Case("RateLimitRoute", _to("RateLimitRoute", _MISS, rates={"sets_rate": 1000, "sets_burst": 2, "gets_rate": 1e6}, fallback=_of("DefaultRoute", B)), varies=True),
    Case("OutstandingLimitRoute", _LIMITED),
    Case("OutstandingLimitRoute, twice",
         _to("OutstandingLimitRoute", _of("AllSyncRoute", _LIMITED, _LIMITED), max_outstanding=2), varies=True),
    Case("LatencyInjectionRoute", {"type": "LatencyInjectionRoute", "child": _of("FailoverRoute", A, B),
                                   "before_latency_ms": 1, "after_latency_ms": 1}),
    Case("LoggingRoute", _to("LoggingRoute", A)),
    Case("ShadowRoute", _of("ShadowRoute", A, shadows=[{"target": B}, {"target": _to("ModifyKeyRoute", C, ensure_key_prefix="s:")}])),
    Case("ShadowRoute, of parts", _of("ShadowRoute", A, shadows=[{"target": _LIMITED, "keys_to_shadow": ["pa", "qb"]}])),
    Case("KeySplitRoute", {"type": "KeySplitRoute", "destination": _MISS, "replicas": 3, "all_sync": True, "first_hit": True}),
    Case("ShardSplitRoute", _to("ShardSplitRoute", A, shard_splits={"7": 3})),
    Case("FailoverRoute", _of("FailoverRoute", A, B)),
    Case("FailoverRoute, over errors", _of("FailoverRoute", ERROR, DEAD, _LIMITED, ALL)),
    Case("FailoverRoute, limited", _of("FailoverRoute", ERROR, A, failover_limit={"rate": 0.9, "burst": 20}), varies=True),
    Case("FailoverWithExptimeRoute", {"type": "FailoverWithExptimeRoute", "normal": ERROR, "failover": [A, B]}),
    Case("LatestRoute", _of("LatestRoute", A, B, C, failover_count=2), varies=True),
    Case("RandomRoute", _of("RandomRoute", A, B), varies=True),
    Case("HostIdRoute", _of("HostIdRoute", A, B)),
    Case("LoadBalancerRoute", _of("LoadBalancerRoute", A, ERROR, C, failover_count=2), varies=True),
    Case("WarmUpRoute", {"type": "WarmUpRoute", "cold": A, "warm": B, "exptime": 60}, varies=True),
    Case("WarmUpRoute, metaget", {"type": "WarmUpRoute", "cold": A, "warm": B, "enable_metaget": True}, varies=True),
    Case("SlowWarmUpRoute", _to("SlowWarmUpRoute", A, slow_warmup=[{"failoverTarget": B}]), varies=True),
    Case("MigrateRoute", {"type": "MigrateRoute", "from": A, "to": B, "start_time": int(time.time()) - 10}),
    Case("L1L2CacheRoute", {"type": "L1L2CacheRoute", "l1": A, "l2": B, "upgradingL1Exptime": 60, "ncacheExptime": 60,
                            "ncacheUpdatePeriod": 1}, varies=True),
    Case("StagingRoute", {"type": "StagingRoute", "warm": A, "staging": B}, varies=True),
    Case("RootRoute", {"/a/a/": A, "/b/b/": ALL}),
    Case("RootRoute, kept prefixes", {"/a/a/": A, "/b/b/": "PoolRoute|keeping"}),
    Case("AsynclogRoute", "PoolRoute|logged"),
    Case("RateLimitRoute, runs", _to("RateLimitRoute", "DefaultRoute", rates={"sets_rate": 1000, "sets_burst": 2},
                                     fallback="MissFailoverRoute"), seed=("A", "B"), varies=True),
    Case("LoggingRoute, runs", _to("LoggingRoute", "MissFailoverRoute"), seed=("A", "B")),
    Case("FailoverRoute, runs", _of("FailoverRoute", ERROR, "AllFastestRoute"), seed=("A", "B"), varies=True),
    Case("ShadowRoute, runs", _of("ShadowRoute", "DefaultRoute", shadows=[{"target": "AllFastestRoute"}]), seed=("A", "B")),
    Case("OutstandingLimitRoute, runs", _to("OutstandingLimitRoute", "MissFailoverRoute", max_outstanding=1), seed=("A", "B")),
]  # fmt: skip


def _config(case: Case, hosts: Any) -> Any:
    selector = {"type": "OperationSelectorRoute", "operation_policies": dict.fromkeys(OTHERS, A), "default_policy": case.route}
    pools = {
        **{name: {"servers": [hosts[name]]} for name in ("A", "B", "C", "dead")},
        "both": {"servers": [hosts["A"], hosts["B"]]},
        "all": {"servers": [hosts[name] for name in "ABC"]},
        **({"keeping": {"servers": [hosts["B"]], "keep_routing_prefix": True}} if "kept" in case.name else {}),
        "logged": {"servers": [hosts["dead"]]},
    }
    if case.seed:
        policies = {"operation_policies": {}, "default_policy": case.route}
        return load_config(json.dumps({"orderedPool": [hosts[name] for name in case.seed], "route": {**selector, **policies}}))
    if case.name.startswith("RootRoute"):
        routes = [{"aliases": [prefix], "route": {**selector, "default_policy": route}} for prefix, route in case.route.items()]
        return load_config(json.dumps({"pools": pools, "routes": routes}), settings=Settings(route_prefix="/a/a/"))
    return load_config(json.dumps({"pools": pools, "route": selector}))


# what is asked ----------------------------------------------------------------------------------------------------


def value(key: bytes) -> bytes:
    """What is stored under a key."""
    return (b"<%b>" % key) * (LARGE // (len(key) + 2) if b"big" in key else 1)


def store(verb: bytes, key: bytes) -> bytes:
    """A request that stores it."""
    data = value(key)
    return b"%b %b 0 0 %d\r\n%b\r\n" % (verb, key, len(data), data)


ALONE = 4  # requests of each client that come one by one


def guilty(p: bytes) -> List[bytes]:
    """What a client asks whose keys begin with `p`."""
    of = {name: p + name for name in (b"a", b"b", b"m", b"big", b"miss", b"warm", b"a:7:z", b"f")}
    alone = [
        b"get %b\r\n" % of[b"miss"], store(b"set", of[b"a"]), b"get %brefuse\r\n" % p, b"get x:%b:y\r\n" % p,
    ]  # fmt: skip
    assert len(alone) == ALONE
    return [
        *alone,
        *(store(b"set", of[name]) for name in (b"a", b"b", b"f")),
        *(b"get %b\r\n" % of[name] for name in (b"a", b"b", b"miss", b"a")),
        b"get %b %b %b\r\n" % (of[b"a"], of[b"miss"], of[b"b"]),
        b"set %bn 0 0 1\r\n5\r\n" % p, b"incr %bn 1\r\n" % p, b"mg %b v k O1\r\n" % of[b"a"], b"mg %b v\r\n" % of[b"miss"],
        b"ms %b 2\r\nxy\r\n" % of[b"m"], b"get %b\r\n" % of[b"warm"], b"get %b\r\n" % of[b"warm"], b"mg %b v\r\n" % of[b"warm"],
        store(b"set", of[b"a:7:z"]), b"get %b\r\n" % of[b"a:7:z"], b"delete %b\r\n" % of[b"a:7:z"],
        b"get /a/a/%b /b/b/%b %b\r\n" % (of[b"a"], of[b"a"], of[b"b"]), b"get /*/*/%b\r\n" % of[b"a"], b"get /c/c/x\r\n",
        store(b"add", of[b"f"]), b"delete %b\r\n" % of[b"a"], b"md %b\r\n" % of[b"m"], b"delete %b\r\n" % of[b"miss"],
        b"get %brefuse\r\n" % p, b"get %b\r\n" % of[b"b"], b"version\r\n", MARK,
        *([store(b"set", b"pbig"), b"get pbig\r\n", b"get pb pbig\r\n"] if p == b"p" else [b"get hangup\r\n"]),
    ]  # fmt: skip


INNOCENT = [
    b"gat 0 i\r\n", b"gets miss\r\n", b"touch i 0\r\n", b"replace i 0 0 1\r\n1\r\n", b"append i 0 0 1\r\n2\r\n",
    b"prepend i 0 0 1\r\n3\r\n", b"gat 0 i\r\n", b"decr j 1\r\n", b"gats 0 miss\r\n", MARK,
]  # fmt: skip
INNOCENT_SEED = [*[b"version\r\n"] * ALONE, b"version\r\n", MARK]


TRICKS = re.compile(rb"^get [^ \r]*(refuse|hangup)[^ \r]*\r\n", re.M)


class TrickyHost(TalkingHost):
    """Refuses gets of keys that end with `refuse`, and hangs up on the first one of `hangup`."""

    def __init__(self):
        super().__init__()
        self.hangs_up = True

    def hear(self, data, conversation):
        """As memcached does, but for that."""
        held = getattr(conversation, "tail", b"") + data
        whole = held.rfind(b"\n") + 1
        if len(held) - whole > 40:
            whole = len(held)  # a value's
        data, conversation.tail, out = held[:whole], held[whole:], b""
        at = 0
        for trick in TRICKS.finditer(data):
            if trick[1] == b"hangup" and not self.hangs_up:
                continue
            out += conversation.receive(data[at : trick.start()])
            at = trick.end()
            if trick[1] == b"hangup":
                self.hangs_up, conversation.closed = False, True
                return out
            out += b"SERVER_ERROR busy\r\n"
        return out + conversation.receive(data[at:])

    def renew(self, data=b""):
        """Begins anew, with what that stores."""
        with self.lock:
            self.store.clear()
            self.hangs_up = True
        self.hold(data)


class Trial:
    """A router with a policy, its hosts and three clients."""

    def __init__(self, case: Case, router: Router, hosts: Any) -> None:
        self.case, self.router, self.hosts = case, router, hosts
        self.port = int(router.addresses[0].rpartition(":")[2])
        self.asked = [guilty(b"p"), guilty(b"q"), INNOCENT_SEED if case.seed else INNOCENT]
        self.requests = []
        for pipeline in self.asked:
            feed = ClientFeed()
            feed.received(b"".join(pipeline))
            assert len(feed.requests) == len(pipeline)
            self.requests.append(feed.requests)
        self.clients: List[Wire] = []
        self.connect()

    def connect(self) -> None:
        """New clients, one more than ask: of the two connections to a host the first and the third take the same."""
        self.end()
        self.clients = [Wire(self.port) for _ in range(4)]
        for wire in self.clients:
            wire.sock.settimeout(5)

    def play(self) -> Tuple[List[Any], List[bool]]:
        """What each client is answered to all that it asks, in replies; and whether its connection was closed."""
        self.settle()
        warm = b"".join(store(b"set", p + b"warm") for p in (b"p", b"q"))
        for name, data in (("A", b"set i 0 0 1\r\n0\r\nset j 0 0 1\r\n9\r\n"), ("B", warm), ("C", b"")):
            self.hosts[name].renew(data)
        feeds = [HostFeed(requests) for requests in self.requests]
        for number in range(ALONE):
            for place in range(len(feeds)):
                self.clients[place].send(self.asked[place][number])
            for place, feed in enumerate(feeds):
                self.read(place, feed, number + 1)
        for place, pipeline in enumerate(self.asked):
            with contextlib.suppress(OSError):  # it may be closed already
                self.clients[place].send(b"".join(pipeline[ALONE:]))
        for place, feed in enumerate(feeds):
            self.read(place, feed, len(self.asked[place]))
        closed = [bool(feed.inflight) for feed in feeds]
        for feed in feeds:
            if feed.inflight:
                assert b"big" in bytes(feed.inflight[0].data[:60]), ("closed", bytes(feed.inflight[0].data[:60]))
        if any(closed):
            self.connect()
        return [[bytes(reply.data) for reply in feed.replies] for feed in feeds], closed

    def read(self, place: int, feed: HostFeed, count: int) -> None:
        """Reads on until a client has `count` replies, each of which answers its request, or until the close; what a get
        gives was stored under its key."""
        done, sock = len(feed.replies), self.clients[place].sock
        try:
            while len(feed.replies) < count:
                data = sock.recv(1 << 16)
                if not data:
                    break
                feed.received(data)
        except ConnectionError:
            pass
        except socket.timeout:
            raise AssertionError(f"not answered: {feed.inflight[0].data[:60]!r}") from None
        for request, reply in list(zip(self.requests[place], feed.replies))[done:]:
            if place < 2 and reply.data[:6] == b"VALUE ":
                for key, block in value_blocks(bytes(reply.data)):
                    assert block.partition(b"\r\n")[2] == value(key.rpartition(b"/")[2]) + b"\r\n", (request.data, block)

    def settle(self) -> None:
        """Waits until nothing is under way."""
        limit = time.monotonic() + 5
        while self.under_way():
            assert time.monotonic() < limit, self.under_way()
            time.sleep(0.0005)
        said = threading.Event()  # the event loop may still be logging what it did last
        self.router._worker.loop.call_soon_threadsafe(said.set)
        assert said.wait(5)

    def under_way(self) -> List[Any]:
        """What is under way, as the router counts it; a host that is not read after it has lost a write, too."""
        worker = self.router._worker
        found = [(name, host.load()) for name, host in list(worker._policy.hosts.items()) if host.load() != (0, 0)]
        found += [(name, "not read") for name, host in list(worker._policy.hosts.items()) if host.recovering]
        ahead, seen = list(set(worker.frontend.routes_by_command)), set()
        while ahead:
            route = ahead.pop()
            if id(route) in seen or not hasattr(route, "routes"):
                continue
            seen.add(id(route))
            ahead += route.routes()
            limit, policy = getattr(route, "_limit", None), getattr(route, "policy", None)
            if limit is not None and (limit._outstanding or limit._waiting):
                found.append((route, limit._outstanding, len(limit._waiting)))
            found += [(route, load.in_flight) for load in getattr(policy, "loads", ()) if load.in_flight]
            found += [(route, shadow._copies.count) for shadow in getattr(route, "_shadows", ()) if shadow._copies.count]
        return found

    def end(self) -> None:
        """Closes what is open."""
        for wire in self.clients:
            wire.sock.close()


@contextlib.contextmanager
def trial(case: Case, folder: Any) -> Any:
    """All of it."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(unittest.mock.patch("mcrouter.server.worker.host_id", lambda: 0))
        if "in parts" in case.name:
            stack.enter_context(unittest.mock.patch("mcrouter.routes.framework.keyed._AT_ONCE", 2))
        hosts = {name: stack.enter_context(TrickyHost()) for name in "ABC"}
        addresses = {**{name: host.address for name, host in hosts.items()}, "dead": refusing_address()}
        settings = Settings(
            listen="tcp://127.0.0.1:0", metrics_listen_addr="off", buffer_size=BUFFER, upstream_connections=2, healthcheck_interval=1000.0,
            timeout_ms=2000, async_dir=str(folder) if case.name.startswith("Async") else "",
            route_prefix="/a/a/" if case.name.startswith("Root") else "/././",
        )  # fmt: skip
        router = stack.enter_context(Router(_config(case, addresses), settings))
        dead = router._worker._policy.hosts.get(addresses["dead"])
        until(lambda: dead is None or not dead.healthy)  # what it answers is the same from here on
        made = Trial(case, router, hosts)
        stack.callback(made.end)
        yield made


# bugs -------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def spoilt(cls: type, name: str, raises: Any) -> Any:
    """While it lasts, the method first asks `raises(count)` whether the call of that number is to raise; gives the count."""
    count = [0]
    method = vars(cls)[name]

    def call(*args: Any) -> Any:
        count[0] += 1
        if raises(count[0]):
            raise RuntimeError(f"a bug in {cls.__qualname__}.{name}")
        return method(*args)

    setattr(cls, name, call)
    try:
        yield count
    finally:
        setattr(cls, name, method)


TAKEN = collections.defaultdict(set)
"""By case: the methods that its clients' requests take."""
TRIED: Any = collections.Counter()
OFTEN = 3  # cases after which a method raises either always or once: most policies share some


def find_taken(made: Trial) -> Any:
    """What the clients are answered, and fills TAKEN."""
    with contextlib.ExitStack() as stack:
        counts = {found: stack.enter_context(spoilt(*found, lambda count: False)) for found in FOUND}
        answers, _ = made.play()
        made.settle()
        TAKEN[made.case.name].update(found for found, count in counts.items() if count[0])
    return answers


def innocent_takes(made: Trial) -> Any:
    """The methods that the innocent client's requests take."""
    with contextlib.ExitStack() as stack:
        counts = {found: stack.enter_context(spoilt(*found, lambda count: False)) for found in FOUND}
        feed = HostFeed(made.requests[2])
        for number, data in enumerate(made.asked[2]):
            made.clients[2].send(data)
            made.read(2, feed, number + 1)
        return {found for found, count in counts.items() if count[0]}


def _logged(case: Case) -> int:
    """LoggingRoute does less where nothing is logged."""
    return logging.ERROR if "runs" in case.name else logging.INFO


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_bug_costs_its_own_request(case, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    with trial(case, tmp_path) as made, caplog.at_level(_logged(case), "mcrouter.routes.logged"):
        right = find_taken(made)
        assert not any(INTERNAL_ERROR in answers for answers in right)
        not_innocent = innocent_takes(made)
        for number, (cls, name) in enumerate(sorted(TAKEN[case.name], key=str)):
            TRIED[cls, name] += 1
            variants = [lambda count: True, lambda count, bad=1 + number % 3: count == bad]
            for raises in variants if TRIED[cls, name] <= OFTEN else variants[TRIED[cls, name] % 2 :][:1]:
                caplog.clear()
                with spoilt(cls, name, raises) as count:
                    answers, closed = made.play()
                    if (cls.__name__, name) != ("Copies", "on_reply"):
                        made.settle()
                logged = [record for record in caplog.records if record.getMessage().startswith("unexpected error")]
                assert bool(logged) == any(map(raises, range(1, count[0] + 1))), (cls, name, count)
                if (cls, name) not in not_innocent and cls is not MetaCheck:  # that costs a connection, which they share
                    assert answers[2] == right[2] and not closed[2], (cls, name)
        caplog.clear()
        after, closed = made.play()
        assert not any(closed) and not any(record.levelno >= logging.ERROR for record in caplog.records)
        assert after[2] == right[2]
        if not case.varies:
            for client in range(3):
                for asked, one, other in zip(made.asked[client], right[client], after[client]):
                    assert (asked, one) == (asked, other)
        else:
            assert not any(INTERNAL_ERROR in answers for answers in after)


def test_every_handle_has_a_case():
    words = {word.strip() for case in CASES for word in json.dumps([case.name, case.route]).replace('"', ",").split(",")}
    assert not {*HANDLES, *INTERNAL} - words
    assert {name for name in ORDERED_POOL_HANDLES if ORDERED_POOL_HANDLES[name] is not HANDLES[name]} == {"AllFastestRoute", "MissFailoverRoute"}


def test_every_method_is_taken_in_some_case(tmp_path, caplog):
    for case in CASES:
        if case.name not in TAKEN:
            with trial(case, tmp_path) as made, caplog.at_level(_logged(case), "mcrouter.routes.logged"):
                find_taken(made)
    missed = set(FOUND) - set().union(*TAKEN.values()) - NOT_TAKEN
    assert " ".join(sorted(f"{cls.__module__[9:]}.{cls.__name__}.{name}" for cls, name in missed)) == ""

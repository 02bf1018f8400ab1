"""Requests that pass a handle as they are, as the engine asks them: with themselves as the sink, and through `after_failure` where
the first answer is no success."""

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.proto.client.parser import RequestParser, RunPlan
from mcrouter.proto.request import Request

from .script import CLIENT, MISS, STRETCHES, Host, hit
from .world import World

INNER = {"type": "MissFailoverRoute", "children": "Pool|A"}
HANDLES = [
    {"type": "ModifyKeyRoute", "target": INNER, "ensure_key_prefix": "k"},
    {"type": "ModifyExptimeRoute", "target": INNER, "exptime": 5},
    {"type": "RateLimitRoute", "target": INNER, "rates": {"gets_rate": 1}},
    {"type": "RateLimitRoute", "target": "ErrorRoute", "rates": {"gets_rate": 1}, "fallback": INNER},
    {"type": "OutstandingLimitRoute", "target": INNER, "max_outstanding": 1},
    {"type": "LatencyInjectionRoute", "child": INNER, "total_latency_ms": 1},
    {"type": "LoggingRoute", "target": INNER},
    {"type": "ShadowRoute", "children": [INNER], "shadows": [{"target": "NullRoute"}]},
    {"type": "KeySplitRoute", "destination": INNER, "replicas": 2, "all_sync": True},
    {"type": "ShardSplitRoute", "target": INNER, "shard_splits": {"1": 2}},
    {"type": "AllInitialRoute", "children": [INNER, "NullRoute"]},
]


class Asked(Request):
    """A client's request, which is its own sink."""

    __slots__ = ("direct_host", "got", "route")

    def on_reply(self, reply, outcomes):
        """An answer from the first host is given to the route if it is no success."""
        if outcomes not in o.SUCCESS and self.route.may_ask_another_host and self.direct_host is not None:
            first, self.direct_host = self.direct_host, None
            self.route.after_failure(self, Answer(self), first, reply, outcomes)
        else:
            self.got.append((reply, outcomes))


class Answer:
    """The sink that the engine gives to `after_failure`."""

    def __init__(self, asked):
        self.on_reply = lambda reply, outcomes: asked.got.append((reply, outcomes))


@pytest.mark.parametrize("route", HANDLES, ids=lambda route: route["type"])
def test_what_misses_goes_on(route):
    hosts = {"a:1": Host("a:1"), "b:1": Host("b:1", {b"k": b"1"})}
    world = World({"pools": {"A": {"servers": ["a:1", "b:1"]}}, "route": route}, hosts)
    top = world.route(b"get")
    if "fallback" in route:
        world.answer(b"get k\r\n")
    for key, expected in ((b"k", hit(b"k", b"1")), (b"kx", MISS)):
        asked = RequestParser(Asked, STRETCHES, RunPlan()).next(b"get %b\r\n" % key, 0, CLIENT)
        asked.route, asked.direct_host, asked.got = top, hosts["a:1"], []
        top.start(asked, asked)
        world.pass_time(1.0)
        if "fallback" in route:
            world.answer(b"get k\r\n")
        assert asked.got == [expected]

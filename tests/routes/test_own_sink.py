"""A request that is its own sink, as the engine asks: on a failure the whole policy goes on, wherever the host stands in it."""

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.proto.client.parser import RequestParser, RunPlan
from mcrouter.proto.request import Request

from .script import CLIENT, MISS, SERVER_ERROR, STRETCHES, Host, hit
from .world import World

GET = b"get a\r\n"
INNER = {"type": "MissFailoverRoute", "children": "Pool|A"}
POOLS = {"A": {"servers": ["a:1", "b:1"]}}


class Own(Request):
    """Its own sink."""

    __slots__ = ()

    def on_reply(self, reply, outcomes):
        assert self.reply is None, "two replies to one request"
        self.reply = (reply, outcomes)


class EngineHost(Host):
    """Hands a failure to the policy, as the engine does."""

    way = None

    def send(self, request, sink, since=None):
        self.asked.append(request.data)
        reply, outcomes = self.says.get(request.data, MISS)
        if sink is request and outcomes not in o.SUCCESS and self.way.may_ask_another_host:
            self.way.after_failure(request, request, self, reply, outcomes)
        else:
            sink.on_reply(reply, outcomes)


def ask(config, says):
    """(the answer, how often each host was asked)."""
    hosts = {f"{name}:1": EngineHost(f"{name}:1", says={GET: answer}) for name, answer in zip("ab", says)}
    world = World(config, hosts)
    way = world.route(b"get")
    for host in hosts.values():
        host.way = way
    request = RequestParser(Own, STRETCHES, RunPlan()).next(GET, 0, CLIENT)
    way.start(request, request)
    return request.reply, [len(host.asked) for host in hosts.values()]


@pytest.mark.parametrize("outer", ["DefaultRoute", "AllFastestRoute", "AllSyncRoute", "AllInitialRoute", "MissFailoverRoute", "HashRoute"])
def test_what_stands_within_another_route_goes_on_as_it_does_alone(outer):
    found = hit(b"a", b"1")
    children = [INNER] if outer == "HashRoute" else [INNER, "NullRoute"]
    reply, asked = ask({"pools": POOLS, "route": {"type": outer, "children": children}}, [MISS, found])
    assert (reply, asked) == (found if outer != "AllSyncRoute" else MISS, [1, 1])


def test_nobody_is_asked_twice():
    route = {"type": "HashRoute", "children": [{"type": "MissFailoverRoute", "children": ["DefaultRoute"]}]}
    assert ask({"orderedPool": ["a:1"], "route": route}, [SERVER_ERROR]) == (SERVER_ERROR, [1])

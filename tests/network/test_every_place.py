"""A short exchange is cut at every place of every request and of every reply; before and after, another client on the same
connection to the host gets its own value, so that what is left over of a reply would show."""

import contextlib
import socket

import pytest

from tests.network.policies import HOSTS, STRICT
from tests.support.processes import Memcached, RouterProcess
from tests.support.relay import Once, relays
from tests.support.wire import Wire

REQUESTS, REPLIES = 0, 1
STEPS = (
    (b"get hit\r\n", b"VALUE hit 0 5\r\nvalue\r\nEND\r\n"),
    (b"get none\r\n", b"END\r\n"),
    (b"set one 3 0 3\r\nabc\r\n", b"STORED\r\n"),
    (b"get none hit one\r\n", b"VALUE hit 0 5\r\nvalue\r\nVALUE one 3 3\r\nabc\r\nEND\r\n"),
    (b"mg one k O7 f v\r\n", b"VA 3 kone O7 f3\r\nabc\r\n"),
    (b"mg none k v\r\n", b"EN knone\r\n"),
    (b"ms one 5 k\r\nvalue\r\n", b"HD kone\r\n"),
    (b"delete one\r\n", b"DELETED\r\n"),
    (b"set hit 0 0 5 noreply\r\nvalue\r\nget hit\r\n", b"VALUE hit 0 5\r\nvalue\r\nEND\r\n"),
    (b"get hit\r\nget none\r\nget hit\r\n", b"VALUE hit 0 5\r\nvalue\r\nEND\r\nEND\r\nVALUE hit 0 5\r\nvalue\r\nEND\r\n"),
    (b"set one 0 0 1\r\n1\r\nset two 0 0 1\r\n2\r\nget two\r\ndelete none\r\ndelete one\r\n",
     b"STORED\r\nSTORED\r\nVALUE two 0 1\r\n2\r\nEND\r\nNOT_FOUND\r\nDELETED\r\n"),
)  # fmt: skip
BEFORE = (b"set one 3 0 3\r\nabc\r\n", b"STORED\r\n")
NEIGHBOUR = (b"get neighbour\r\n", b"VALUE neighbour 0 5\r\nother\r\nEND\r\n")
FLAGS = ("-r", "10000", "-H", "1h", "--log-level", "warning")


class Stand:
    """A router between relays: `port` is where its clients connect."""

    def __init__(self, policy, stack):
        hosts = [Memcached("-t", "1").start() for _ in range(HOSTS)]
        for host in hosts:
            stack.callback(host.stop)
        self.to_hosts, self.to_router = [Once() for _ in hosts], Once()
        behind = stack.enter_context(relays([host.port for host in hosts], self.to_hosts.__getitem__))
        router = RouterProcess(policy.text([f"127.0.0.1:{relay.port}" for relay in behind]), *FLAGS)
        stack.callback(router.stop)
        (before,) = stack.enter_context(relays([router.port], lambda _: self.to_router))
        self.port = before.port
        with Wire(self.port) as client:
            ask(client, (b"set neighbour 0 0 5\r\nother\r\nset hit 0 0 5\r\nvalue\r\n", b"STORED\r\n" * 2))

    def cut(self, direction, place):
        """Cuts what comes next at one place, on either side of the router; 0: nowhere."""
        for cuts in (self.to_router, *self.to_hosts):
            cuts.at(direction, place)


def ask(client, step, where=""):
    """Asks, and checks the answer."""
    request, right = step
    try:
        answer = client.send(request).read_exactly(len(right))
    except socket.timeout:
        answer = b"nothing, or not all"
    assert answer == right, f"{request!r} is answered {answer!r} {where}"


@pytest.fixture(scope="module", params=[STRICT[1], STRICT[8]], ids=lambda policy: policy.name)
def stand(request):
    with contextlib.ExitStack() as stack:
        yield Stand(request.param, stack)


@pytest.mark.parametrize("direction", [REQUESTS, REPLIES], ids=["requests", "replies"])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step[0].decode().partition("\r")[0])
def test_it_is_cut_at_every_place(stand, step, direction):
    longer = 60  # bytes: what the router asks may be longer than what it was asked
    with Wire(stand.port) as client, Wire(stand.port) as neighbour:
        for place in range(1, len(step[direction]) + longer * (direction == REQUESTS)):
            where = f"({('requests', 'replies')[direction]} cut at {place})"
            ask(client, BEFORE)
            for _ in range(4):  # replies of the same size, which the router takes in a way of its own
                ask(neighbour, NEIGHBOUR)
            stand.cut(direction, place)
            ask(client, step, where)
            stand.cut(direction, 0)
            ask(neighbour, NEIGHBOUR, where)

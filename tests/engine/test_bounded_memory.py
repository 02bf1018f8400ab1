"""Gets whose replies weigh far more than they do: what is held for a client that does not read them, and for all."""

import contextlib
import json

import pytest

from mcrouter import Router, Settings, load_config
from mcrouter.testing import DemoHost
from tests.support.processes import until
from tests.support.wire import Wire

from .hosts import client
from .test_limits import of_clients

SIZE = 100_000
KEYS = [b"k%d" % number for number in range(6)]
THROTTLED = 4 << 20  # bytes; more than is right for a client that does not read


def block(key):
    return b"VALUE %b 0 %d\r\n%b\r\n" % (key, SIZE, key * (SIZE // 2))


@contextlib.contextmanager
def serving(route, hosts=2, **settings):
    """A router before hosts that have all keys, and those."""
    with contextlib.ExitStack() as stack:
        members = [stack.enter_context(DemoHost()) for _ in range(hosts)]
        config = {"pools": {"A": {"servers": [host.address for host in members]}}, "route": route}
        settings = {"listen": "tcp://127.0.0.1:0", "metrics_listen_addr": "off", "timeout_ms": 20_000, **settings}
        served = stack.enter_context(Router(load_config(json.dumps(config)), Settings(**settings)))
        for host in members:
            with Wire(int(host.address.rpartition(":")[2])) as wire:
                for key in KEYS:
                    wire.send(b"set %b 0 0 %d\r\n%b\r\n" % (key, SIZE, key * (SIZE // 2)))
                    assert wire.read_until(b"\n") == b"STORED\r\n"
        yield served, members


def held(served):
    """Bytes held for its clients."""
    return of_clients(served, lambda clients: sum(one.holds() for one in clients))


FAILOVER = {"type": "FailoverRoute", "children": ["PoolRoute|A", "NullRoute"]}


@pytest.mark.parametrize("route", ["PoolRoute|A", FAILOVER])
def test_a_value_that_is_asked_for_many_times_is_held_once(route):
    asked = [*KEYS, *[KEYS[0]] * 500]
    with serving(route) as (served, _), client(served) as wire:
        wire.send(b"get %b\r\n" % b" ".join(asked))
        until(lambda: held(served) > SIZE, "what the sockets do not take")
        assert held(served) < THROTTLED
        answer = b"".join(map(block, asked)) + b"END\r\n"
        assert wire.read_exactly(len(answer)) == answer


def rounds(served, count):
    """Another client's requests, one after the other: it is answered meanwhile."""
    with client(served) as other:
        for _ in range(count):
            assert other.send(b"get none\r\n").read_until(b"END\r\n") == b"END\r\n"


def test_a_client_that_does_not_read_is_not_asked_for_the_next_key():
    """One host's reply is too large to be held: it is asked for key by key."""
    asked = [KEYS[number % len(KEYS)] for number in range(500)]
    with serving("PoolRoute|A", hosts=1) as (served, _), client(served) as wire:
        wire.send(b"get %b\r\n" % b" ".join(asked))
        until(lambda: held(served) > 0, "what the sockets do not take")
        rounds(served, 1000)
        assert held(served) < THROTTLED
        answer = b"".join(map(block, asked)) + b"END\r\n"
        assert wire.read_exactly(len(answer)) == answer


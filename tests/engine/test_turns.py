"""A peer that sends without end leaves others their turns: what one event may read is counted."""

import os
from functools import partial
from types import SimpleNamespace

import pytest

from mcrouter.engine.hosts import probes
from mcrouter.engine.hosts.connections import lingering, streaming
from mcrouter.engine.loop import PollGroup
from mcrouter.engine.poller import GONE, IN
from mcrouter.engine.stream import SocketStream
from tests.embedding.served import served
from tests.support.processes import until

from .hosts import client as connect

MOST = 20  # reads, or turns, of one event


class Endless:
    """A `read` that always has as much as it is asked for, of one descriptor; `count` says how often it was called."""

    def __init__(self, fd, data):
        self.fd, self.data, self.count = fd, data, 0

    def __call__(self, fd, size):
        if fd != self.fd:
            return os.read(fd, size)
        self.count += 1
        assert self.count <= MOST, "it is read without end"
        return (self.data * (size // len(self.data) + 1))[:size]


def in_loop(router, call):
    """Calls in the loop's thread; what it returns."""
    done = []
    router._worker.loop.call_soon_threadsafe(lambda: done.append(call()))
    until(lambda: done)
    return done[0]


@pytest.mark.parametrize("line", [b"x\r\n", b"mn\r\n", b"delete k 1 2 3 noreply\r\n", b"set k x 0 100 noreply\r\n" + b"y" * 102])
def test_a_client_that_is_answered_by_the_router_itself(line):
    with served(1, route="LocalRoute") as (router, _), connect(router) as wire:
        wire.ask(b"")
        (one,) = router._worker.frontend.clients.values()
        endless = Endless(one.fd, line)

        def flood():
            one.recv = partial(endless, one.fd)
            one.on_any_event(IN)
            count, endless.count = endless.count, 0
            one.abort()
            return count

        assert 0 < in_loop(router, flood) <= MOST


def test_a_client_whose_answers_make_more_answers():
    loop, turns = PollGroup(), []

    class Busy:
        def flush(self):
            turns.append(True)
            loop.dirty_clients.append(self)

    loop.dirty_clients.append(Busy())
    loop.tick()
    assert 0 < len(turns) <= MOST
    before = len(turns)
    loop.tick()
    assert len(turns) > before
    loop.close()


def test_a_host_that_answers_statistics_without_end():
    with served(1) as (router, (host,)), connect(router) as wire:
        assert wire.send(b"get a\r\n").read_until(b"\r\n") == b"END\r\n"
        one = router._worker._policy.hosts[host.address].connections[0]
        endless = Endless(one.wire.fd, b"STAT a b\r\n")
        host.faults.mute = True
        wire.send(b"stats\r\n")
        until(lambda: one.inflight)

        def flood():
            one.wire.recv = partial(endless, one.wire.fd)
            one.ready(IN)
            return endless.count

        assert 0 < in_loop(router, flood) <= MOST
        assert wire.read_until(b"\r\n").startswith(b"SERVER_ERROR")


class EndlessStream(SocketStream):
    """A stream that always has more."""

    def __init__(self, data):
        super().__init__()
        self.fd, self.endless = 7, Endless(7, data)
        self.recv = partial(self.endless, 7)


def test_a_host_that_answers_a_probe_without_end():
    prober = SimpleNamespace(wire=EndlessStream(b"VERSION " + b"x" * 1000), _answer=b"")
    assert probes.Prober._read(prober, IN | GONE) is True
    assert len(prober._answer) < 2 * probes._MOST


def test_a_host_that_says_more_on_a_connection_that_was_given_up():
    soon = []
    fake = SimpleNamespace(_wire=EndlessStream(b"x"), _loop=SimpleNamespace(call_soon=soon.append), end=lambda: None)
    fake._read_on = lambda: None
    lingering.Lingering._on_event(fake, IN)
    assert soon == [fake._read_on]


def test_a_large_value_that_its_client_takes_as_it_comes():
    wire, soon = EndlessStream(b"x"), []
    fake = SimpleNamespace(
        state=streaming.SocketState.OPEN, wire=wire, _reader=SimpleNamespace(can_take=lambda: True), _stream=SimpleNamespace(left=1 << 40),
        _request=object(), loop=SimpleNamespace(now=0.0, call_soon=soon.append), _received=lambda data: None, _progress=lambda count: None, _read=None,
        _piece=lambda: streaming.PIECE,
    )  # fmt: skip
    streaming.StreamingConnection._read(fake)
    assert soon == [None] and wire.endless.count <= MOST

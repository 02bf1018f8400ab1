"""A peer that sends without end leaves others their turns: what one event may read is counted."""

import os
from types import SimpleNamespace

import pytest

from mcrouter.engine.clients import inbox
from mcrouter.engine.hosts import connection as connection
from mcrouter.engine.hosts import lingering, probes, streaming
from mcrouter.engine.loop import PollGroup
from mcrouter.engine.poller import IN
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
def test_a_client_that_is_answered_by_the_router_itself(monkeypatch, line):
    with served(1, route="LocalRoute") as (router, _), connect(router) as wire:
        wire.ask(b"")
        (one,) = router._worker.frontend.clients.values()
        endless = Endless(one.fd, line)

        def flood():
            monkeypatch.setattr(inbox, "read", endless)
            one.on_any_event(IN)
            count, endless.count = endless.count, 0
            one.abort()
            monkeypatch.setattr(inbox, "read", os.read)
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


def test_a_host_that_answers_statistics_without_end(monkeypatch):
    with served(1) as (router, (host,)), connect(router) as wire:
        assert wire.send(b"get a\r\n").read_until(b"\r\n") == b"END\r\n"
        one = router._worker._policy.hosts[host.address].connections[0]
        endless = Endless(one.fd, b"STAT a b\r\n")
        host.faults.mute = True
        wire.send(b"stats\r\n")
        until(lambda: one.inflight)

        def flood():
            monkeypatch.setattr(connection, "read", endless)
            one.ready(IN)
            monkeypatch.setattr(connection, "read", os.read)
            return endless.count

        assert 0 < in_loop(router, flood) <= MOST
        assert wire.read_until(b"\r\n").startswith(b"SERVER_ERROR")


def test_a_host_that_answers_a_probe_without_end(monkeypatch):
    endless = Endless(7, b"VERSION " + b"x" * 1000)
    monkeypatch.setattr(probes.os, "read", endless)
    prober = SimpleNamespace(fd=7, _answer=b"")
    assert probes.Prober._read(prober, True) is True
    assert len(prober._answer) < 2 * probes._MOST


def test_a_host_that_says_more_on_a_connection_that_was_given_up(monkeypatch):
    endless = Endless(7, b"x")
    monkeypatch.setattr(lingering.os, "read", endless)
    soon = []
    fake = SimpleNamespace(_sock=SimpleNamespace(fileno=lambda: 7), _loop=SimpleNamespace(call_soon=soon.append), end=lambda: None)
    fake._read_on = lambda: None
    lingering.Lingering._on_event(fake, IN)
    assert soon == [fake._read_on]


def test_a_large_value_that_its_client_takes_as_it_comes(monkeypatch):
    endless, soon = Endless(7, b"x"), []
    monkeypatch.setattr(streaming.os, "read", endless)
    fake = SimpleNamespace(
        state=streaming.SocketState.UP, fd=7, _reader=SimpleNamespace(can_take=lambda: True), _stream=SimpleNamespace(left=1 << 40),
        _request=object(), loop=SimpleNamespace(now=0.0, call_soon=soon.append), _received=lambda data: None, _progress=lambda count: None, _read=None,
        _piece=lambda: streaming.PIECE,
    )  # fmt: skip
    streaming.StreamingConnection._read(fake)
    assert soon == [None] and endless.count <= MOST

"""What a host missed is made up for before it is read: the journal, the dialogue, and both with real memcacheds."""

import threading
import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcrouter.engine.hosts.journal import FLUSH, REPLAY, Journal
from mcrouter.engine.hosts.recovery import BadAnswer, Pause, Question, rejoin
from mcrouter.proto.rewriting import deletion
from tests.embedding.served import served
from tests.routes.script import request
from tests.support.processes import Memcached, RouterProcess, config, until
from tests.support.wire import Wire

from .hosts import LineHost, client, router


def journal(*keys, mode=REPLAY, limit=1000):
    """A journal that has noted a set of each key."""
    made = Journal(mode, limit=limit)
    for key in keys:
        made.note(request(b"set %b 0 0 1\r\nx\r\n" % key))
    return made


class Host:
    """Answers a dialogue; `keys` are what it has."""

    def __init__(self, keys=()):
        self.keys = set(keys)
        self.asked = []

    def answer(self, question):
        self.asked.append(question.data)
        if question.data == b"flush_all\r\n":
            self.keys.clear()
            return b"OK\r\n"
        return b"".join(map(self.delete, question.data.splitlines()))

    def delete(self, line):
        key = line.split()[1]
        found = key in self.keys
        self.keys.discard(key)
        return b"DELETED\r\n" if found else b"NOT_FOUND\r\n"

    def talk(self, dialogue, meanwhile=lambda: None):
        """What the dialogue returns."""
        answer = None
        while True:
            try:
                step = dialogue.send(answer)
            except StopIteration as end:
                return end.value
            meanwhile()
            answer = self.answer(step) if isinstance(step, Question) else None


def subject(kept, all_clean=lambda: True, said=None, lingering=()):
    """What the dialogue takes of a host."""
    clean = (lambda clean: None) if said is None else said.append
    return SimpleNamespace(journal=kept, all_clean=all_clean, clean=clean, is_settled=lambda: not lingering)


def go(kept, host, all_clean=lambda: True, meanwhile=lambda: None, lingering=()):
    """(what came of it, what this loop said of being clean)."""
    said = []
    return host.talk(rejoin(subject(kept, all_clean, said, lingering)), meanwhile), said


@given(st.sets(st.binary(min_size=1, max_size=3).map(lambda b: b.hex().encode()), max_size=20))
def test_what_was_missed_is_deleted_and_nothing_else(missed):
    host = Host([*missed, b"other"])
    kept = journal(*missed)
    done, said = go(kept, host)
    assert (host.keys, bool(kept), said) == ({b"other"}, False, [True])
    assert (done.deleted, done.flushed) == (len(missed), 0)


def test_many_keys_go_in_batches():
    keys = [b"k%d" % i for i in range(1500)]
    host = Host(keys)
    assert go(journal(*keys, limit=2000), host)[0].deleted == 1500
    assert [data.count(b"\n") for data in host.asked] == [512, 512, 476]


def test_keys_are_made_up_for_in_the_order_in_which_they_were_missed():
    keys = [b"k%d" % number for number in range(20)]
    assert journal(*keys).take() == (False, keys)


@pytest.mark.parametrize("kept", [journal(b"a", b"b", limit=1), journal(b"a", mode=FLUSH)])
def test_a_journal_that_overflowed_is_made_up_for_by_flush_all(kept):
    host = Host([b"a", b"b", b"c"])
    done = go(kept, host)[0]
    assert (host.keys, done.flushed, bool(kept)) == (set(), 1, False)


def test_a_missed_flush_all_is_made_up_for():
    kept = journal()
    kept.note(request(b"flush_all\r\n"))
    host = Host([b"a"])
    go(kept, host)
    assert not host.keys


@pytest.mark.parametrize("data, delete", [
    (b"ms Zm9v 1 b\r\nx\r\n", b"delete foo\r\n"),
    (b"ms Zm9v 1 bx\r\nx\r\n", b"delete foo\r\n"),
    (b"md YSBi b\r\n", b"md YSBi b\r\n"),
    (b"ms foo 1\r\nx\r\n", b"delete foo\r\n"),
    (b"md bar\r\n", b"delete bar\r\n"),
    (b"incr n 1\r\n", b"delete n\r\n"),
    (b"gat 10 g h\r\n", b"delete g\r\ndelete h\r\n"),
    (b"set a 0 0 1\r\nx\r\nset b 0 0 1\r\ny\r\n", b"delete a\r\ndelete b\r\n"),
])  # fmt: skip
def test_every_write_is_deleted_by_its_key(data, delete):
    kept = Journal(REPLAY, limit=10)
    kept.note(request(data))
    assert sorted(map(deletion, kept.take()[1])) == delete.splitlines(keepends=True)


def test_writes_missed_meanwhile_are_made_up_for_too():
    kept, more = journal(b"a"), [b"b", b"c"]

    def meanwhile():
        if more:
            kept.note(request(b"delete %b\r\n" % more.pop()))

    host = Host([b"a", b"b", b"c"])
    go(kept, host, meanwhile=meanwhile)
    assert not host.keys


def test_nobody_is_first_before_all_are_clean():
    others = [True, False, False]
    kept = journal()
    host = Host([b"a"])

    def all_clean():
        if len(others) == 2:
            kept.note(request(b"delete a\r\n"))
        return others.pop()

    done, said = go(kept, host, all_clean=all_clean)
    assert (done.deleted, host.keys, said) == (1, set(), [True, True, False, True])


def test_nothing_is_made_up_for_before_the_host_has_done_what_it_was_sent():
    lingering = [1, 2, 3]
    dialogue = rejoin(subject(journal(b"a"), lingering=lingering))
    step = next(dialogue)
    while lingering:
        assert isinstance(step, Pause)
        lingering.pop()
        step = next(dialogue)
    assert step.data == b"delete a\r\n"


@pytest.mark.parametrize("refusal", [b"CLIENT_ERROR bad command line format\r\n", b"CLIENT_ERROR error decoding key\r\n", b"ERROR\r\n"])
def test_a_key_that_the_host_does_not_take_is_not_there(refusal):
    host = Host([b"a", b"b"])
    host.delete = lambda line: refusal if line == b"delete odd\r\n" else Host.delete(host, line)
    done = go(journal(b"a", b"odd", b"b"), host)[0]
    assert (host.keys, done.deleted, done.flushed) == (set(), 3, 0)


@pytest.mark.parametrize("answer", [b"SERVER_ERROR busy\r\n", b"what?\r\n"])
def test_a_journal_that_cannot_be_worked_off_is_flushed_in_the_end(answer):
    kept, host = journal(b"a"), Host([b"a"])
    host.delete = lambda line: answer
    for _ in range(3):
        with pytest.raises(BadAnswer):
            go(kept, host)
    assert go(kept, host)[0].flushed == 1 and not host.keys


def test_what_fails_stays_in_the_journal():
    kept = journal(b"a")
    dialogue = rejoin(subject(kept))
    assert next(dialogue).data == b"delete a\r\n"
    assert not kept
    with pytest.raises(BadAnswer):
        dialogue.send(b"SERVER_ERROR busy\r\n")
    assert kept.take() == (False, [b"a"])


@pytest.fixture
def pair():
    hosts = [Memcached().start(), Memcached().start()]
    yield hosts
    for host in hosts:
        host.stop()


def names(hosts):
    return [f"127.0.0.1:{host.port}" for host in hosts]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_host_that_hung_serves_nothing_stale(pair, workers):
    served = RouterProcess(config(names(pair)), "-r", "1000", "-H", "200ms", "-n", workers)
    try:
        until(lambda: served.metrics()["mcrouter_upstream_healthy_hosts_total"] == 2)
        clients = [Wire(served.port) for _ in range(8)]
        for number, wire in enumerate(clients):
            wire.send(b"set k%d 0 0 1\r\n1\r\n" % number).read_until(b"STORED\r\n")
        until(lambda: all(pair[0].has(b"k%d" % number) for number in range(8)))
        pair[0].freeze()
        until(lambda: served.ask(b"get k0\r\n") and served.metrics()["mcrouter_upstream_healthy_hosts_total"] == 1)
        for number, wire in enumerate(clients):
            wire.send(b"set k%d 0 0 1\r\n2\r\n" % number).read_until(b"STORED\r\n")
        pair[0].thaw()
        until(lambda: served.metrics()["mcrouter_upstream_healthy_hosts_total"] == 2)
        pair[1].kill()
        for number, wire in enumerate(clients):
            answer = wire.send(b"get k%d\r\n" % number).read_until(b"\r\n")
            assert answer != b"VALUE k%d 0 1\r\n" % number or wire.read_until(b"END\r\n") == b"2\r\nEND\r\n"
            wire.sock.close()
        name = names(pair)[0]
        figures = served.metrics()
        assert figures[f'mcrouter_rejoin_deleted_keys_total{{host="{name}"}}'] > 0
        assert figures[f'mcrouter_upstream_missed_writes_total{{host="{name}"}}'] > 0
        assert figures[f'mcrouter_rejoin_journal_keys{{host="{name}"}}'] == 0
        assert "keys deleted that it may have missed writes to" in served.log()
    finally:
        served.stop()


def test_a_host_is_not_read_after_a_write_to_it_was_lost():
    stale, asked = [b"1"], []

    def first(line):
        asked.append(line)
        if line.startswith(b"set"):
            return None
        if line.startswith(b"delete"):
            stale.clear()
            return b"DELETED\r\n"
        return b"VALUE a 0 1\r\n%b\r\nEND\r\n" % stale[0] if stale else b"END\r\n"

    def second(line):
        return b"STORED\r\n" if line.startswith(b"set") else b"VALUE a 0 1\r\n2\r\nEND\r\n"

    hosts = LineHost(first), LineHost(second)
    with hosts[0], hosts[1], router(*hosts, route=SAMPLE) as served, client(served) as wire:
        assert wire.send(b"get a\r\n").read_until(b"END\r\n").split(b"\r\n")[1] == b"1"
        assert wire.send(b"set a 0 0 1\r\n2\r\n").read_until(b"\r\n") == b"STORED\r\n"
        until(lambda: b"set a 0 0 1\r\n2\r\n" in asked)
        for _ in range(3):
            assert wire.send(b"get a\r\n").read_until(b"END\r\n").split(b"\r\n")[1] == b"2"
        until(lambda: not stale)


def test_a_write_that_was_late_is_not_done_after_it_was_made_up_for():
    hung, value, asked = threading.Event(), [b"1"], []

    def first(line):
        asked.append(line)
        if line == b"set a 0 0 1\r\n2\r\n":
            hung.wait(20)
        if line.startswith(b"set"):
            value[:] = [line[-3:-2]]
            return b"STORED\r\n"
        if line.startswith(b"delete"):
            value.clear()
            return b"DELETED\r\n"
        return b"VALUE a 0 1\r\n%b\r\nEND\r\n" % value[0] if value else b"END\r\n"

    hosts = LineHost(first), LineHost(lambda line: b"STORED\r\n" if line.startswith(b"set") else b"END\r\n")
    settings = {"route": SAMPLE, "timeout_ms": 1000, "upstream_connections": 2}
    with hosts[0], hosts[1], router(*hosts, **settings) as served, client(served) as one, client(served) as two:
        assert one.send(b"set a 0 0 1\r\n2\r\n").read_until(b"\n") == b"STORED\r\n"
        new = b"set a 0 0 1\r\n3\r\nget b\r\n"
        until(lambda: two.send(new).read_until(b"END\r\n") and not one_is_healthy(served))
        assert not any(line.startswith(b"delete") for line in asked)
        hung.set()
        until(lambda: one_is_healthy(served))
        assert two.send(b"get a\r\n").read_until(b"END\r\n") in (b"END\r\n", b"VALUE a 0 1\r\n3\r\nEND\r\n")


def test_a_copy_that_is_dropped_is_made_up_for_after_all_that_the_host_was_sent_before():
    """The host hangs within the first set. Its connection fills up, so that later sets of the key are dropped: the
    delete that makes up for them must not be done before the sets that are on their way."""
    hung, done = threading.Event(), []

    def second(line):
        if line.startswith(b"set"):
            hung.wait(20)
        if line.startswith((b"set", b"delete")):
            done.append(line.split()[0])
        return {b"set": b"STORED\r\n", b"delete": b"DELETED\r\n"}.get(line.split()[0], b"END\r\n")

    hosts = LineHost(lambda line: b"STORED\r\n"), LineHost(second)
    settings = {"route": "AllInitialRoute", "buffer_size": 4096, "timeout_ms": 60000}
    with hosts[0], hosts[1], router(*hosts, **settings) as served, client(served) as wire:
        host = list(served._worker._policy.hosts.values())[1]
        sets = b"set k 0 0 4000\r\n%b\r\n" % (b"x" * 4000) * 100
        until(lambda: wire.send(sets).read_until(b"STORED\r\n" * 100) and not host.healthy)
        assert not host.is_settled()
        hung.set()
        until(lambda: host.healthy)
        assert done[-1] == b"delete"


def one_is_healthy(served):
    return next(iter(served._worker._policy.hosts.values())).healthy


SAMPLE = {"type": "OperationSelectorRoute", "operationPolicies": {"set": "AllFastestRoute", "get": "MissFailoverRoute"}}


def test_the_only_host_is_read_on_when_its_client_was_told_that_the_write_failed():
    def says(line):
        if line.startswith(b"set"):
            time.sleep(0.6)
            return b"STORED\r\n"
        return b"END\r\n"

    settings = {"route": SAMPLE, "on_rejoin": "replay", "timeout_ms": 400}
    with LineHost(says) as host, router(host, **settings) as served, client(served) as wire:
        assert wire.send(b"set a 0 0 1\r\n2\r\n").read_until(b"\r\n").startswith(b"SERVER_ERROR")
        assert wire.send(b"get a\r\n").read_until(b"\r\n") == b"END\r\n"
    assert not any(line.startswith(b"delete") for line in host.asked)


def test_a_write_that_times_out_and_then_loses_its_connection_is_missed_once():
    with served(2, "AllFastestRoute", timeout_ms=1000, timeouts_until_tko=3) as (router, hosts):
        hosts[1].faults.mute = True
        client = router.client()
        for number in range(3):
            client.set(f"k{number}", "x")
        until(lambda: not router.stats()["hosts"][hosts[1].address]["healthy"])
        layout, (row,) = router._layout, router._rows
        assert row[layout.missed[1]] == row[layout.journal[1]] == 3

"""A connection to a host: what it may be sent, what its replies cost others, and what stays in order."""

import contextlib
import os
import socket
import threading
from types import SimpleNamespace

import pytest

from mcrouter.engine import loop as engine_loop
from mcrouter.engine.hosts.connections import streaming, streaming_pool
from mcrouter.engine.hosts.connections.exchange import LEAST, Exchange
from mcrouter.engine.hosts.connections.streaming_pool import StreamingPool
from mcrouter.engine.poller import GONE, HAS_EPOLL, IN, OUT, RDHUP, READ_ON, EpollPoller, SelectorPoller
from mcrouter.proto.runs import reply_patterns
from tests.support.processes import until

from .hosts import LineHost, ThreadedHost, client, router

DEADLINE = 10
VALUE = b"VALUE a 0 1\r\n1\r\nEND\r\n"


class Large(ThreadedHost):
    """memcached's get and set, large values too; `before(key, size)` is called before a set is done."""

    def __init__(self, before=lambda key, size: None):
        self.values, self.done, self.before = {}, [], before
        super().__init__()

    def serve(self, sock):
        with sock.makefile("rwb") as stream:
            for line in stream:
                stream.write(self._answer(line.split(), stream))
                stream.flush()

    def _answer(self, words, stream):
        if words[0] == b"version":
            return b"VERSION 1\r\n"
        if words[0] == b"set":
            data = stream.read(int(words[4]) + 2)
            if len(data) < int(words[4]) + 2:
                raise ConnectionError("the value is not whole")
            data = data[:-2]
            self.before(words[1], len(data))
            self.values[words[1]] = data
            self.done.append(len(data))
            return b"STORED\r\n"
        found = ((key, self.values[key]) for key in words[1:] if key in self.values)
        return b"".join(b"VALUE %b 0 %d\r\n%b\r\n" % (key, len(data), data) for key, data in found) + b"END\r\n"


SAMPLE = {"type": "OperationSelectorRoute", "operationPolicies": {"set": "AllFastestRoute", "get": "MissFailoverRoute"}}


def test_a_large_value_does_not_overtake_a_small_one_that_another_host_has_answered():
    """The slow host is still at the small set when the large one comes, on a connection of its own."""
    may_go_on, large_is_sent = threading.Event(), threading.Event()

    def slow(_key, size):
        if size < 4096:
            assert may_go_on.wait(DEADLINE)

    with Large(slow) as one, Large(lambda _key, size: size > 4096 and large_is_sent.set()) as two:
        with router(one, two, route=SAMPLE, buffer_size=4096) as served, client(served) as wire:
            assert wire.send(b"set k 0 0 3\r\nold\r\n").read_until(b"\n") == b"STORED\r\n"
            wire.send(b"set k 0 0 5000\r\n%b\r\n" % (b"N" * 5000))
            assert large_is_sent.wait(DEADLINE)
            may_go_on.set()
            assert wire.read_until(b"\n") == b"STORED\r\n"
            until(lambda: len(one.done) == 2)
            assert wire.send(b"get k\r\n").read_until(b"\n") == b"VALUE k 0 5000\r\n"
        assert one.done == two.done == [3, 5000]


def test_a_large_read_sees_the_write_before_it():
    """The read goes to the slow host too, on a connection of its own: not before its write is done there."""
    may_go_on = threading.Event()

    def slow(key, size):
        if key == b"k" and size == 6000 and one.values.get(b"k"):
            assert may_go_on.wait(DEADLINE)

    with Large(slow) as one, Large() as two:
        one.values[b"k"] = b"o" * 5000
        with router(one, two, route=SAMPLE, buffer_size=8192) as served, client(served) as wire:
            assert wire.send(b"set k 0 0 6000\r\n%b\r\n" % (b"N" * 6000)).read_until(b"\n") == b"STORED\r\n"
            wire.send(b"get k\r\n")
            may_go_on.set()
            assert wire.read_until(b"END\r\n") == b"VALUE k 0 6000\r\n%b\r\nEND\r\n" % (b"N" * 6000)


class Refusing(ThreadedHost):
    """Reads the beginning of a request, refuses it and closes."""

    def serve(self, sock):
        is_probe = sock.recv(1000).startswith(b"version")
        sock.sendall(b"VERSION 1\r\n" if is_probe else b"SERVER_ERROR object too large for cache\r\n")


def test_a_host_that_refuses_a_large_value_early_and_closes_is_heard():
    """What it said is there when the router's next write fails."""
    value = b"x" * (8 << 20)
    with Refusing() as host, router(host, buffer_size=4096) as served, client(served) as wire:
        wire.send(b"set k 0 0 %d\r\n" % len(value))
        wire.send(value + b"\r\n")
        assert wire.read_until(b"\n") == b"SERVER_ERROR object too large for cache\r\n"


@pytest.mark.parametrize("error", [b"ERROR", b"CLIENT_ERROR", b"SERVER_ERROR", b"SERVER_ERROR busy"])
def test_an_error_line_without_a_text_is_one_reply(error):
    host = LineHost(lambda line: error + b"\r\n" if b"bad" in line else VALUE)
    with host, router(host) as served, client(served) as one, client(served) as two:
        one.send(b"get bad\r\n")
        two.send(b"get a\r\n")
        assert one.read_until(b"\n") == error + b"\r\n"
        assert two.read_until(b"END\r\n") == VALUE
    assert host.asked.count(b"get a\r\n") == 1, "the neighbour's request was lost with the connection"


def test_ms_is_sent_only_to_a_host_that_has_answered_mn():
    host = LineHost(lambda line: b"MN\r\n" if line == b"mn\r\n" else b"HD\r\n")
    with host, router(host) as served, client(served) as wire:
        for _ in range(2):
            assert wire.send(b"ms a 1\r\nx\r\n").read_until(b"\n") == b"HD\r\n"
    assert host.asked == [b"mn\r\n", b"ms a 1\r\nx\r\n", b"ms a 1\r\nx\r\n"]


def test_data_of_ms_never_reaches_a_host_that_would_take_it_for_commands():
    """What is asked behind it waits for the answer to mn, and is then asked in order."""
    data = b"get a\r\nms a 9\r\nflush_all\r\nget b\r\nms b 1\r\nx\r\nget a\r\n"

    def says(line):
        return VALUE.replace(b" a ", b" %b " % line.split()[1]) if line.startswith(b"get") else b"ERROR\r\n"

    host = LineHost(says)
    refused = b"SERVER_ERROR mcrouter: 127.0.0.1:%d: it does not speak the meta protocol\r\n" % host.port
    answers = VALUE + refused + VALUE.replace(b" a ", b" b ") + refused + VALUE
    with host, router(host) as served, client(served) as wire:
        assert wire.send(b"get a\r\n").read_until(b"END\r\n") == VALUE  # the connection is up
        for _ in range(2):
            assert wire.send(data).read_exactly(len(answers)) == answers
    gets = [b"get a\r\n", b"get b\r\n", b"get a\r\n"]
    assert host.asked == [b"get a\r\n", b"get a\r\n", b"mn\r\n", *gets[1:], *gets]


def test_after_a_refused_store_its_connection_is_trusted_no_more():
    """A host that takes a store's data for commands answers them, too: those answers are nobody's."""
    answers = {b"set": b"CLIENT_ERROR bad command line format\r\nVALUE a 0 4\r\nEVIL\r\nEND\r\n", b"get": VALUE}
    host = LineHost(lambda line: answers[line[:3]])
    with host, router(host) as served, client(served) as attacker, client(served) as victim:
        for _ in range(5):
            attacker.send(b"set k 0 0 1\r\nx\r\n")
            victim.send(b"get a\r\n")
            assert attacker.read_until(b"\n").startswith(b"CLIENT_ERROR")
            assert victim.read_until(b"END\r\n") == VALUE


def test_a_copy_that_no_client_waits_for_holds_up_no_client():
    """Its host takes nothing: the copies are dropped, and are writes that it has missed."""
    deaf = socket.create_server(("127.0.0.1", 0))
    host = type("Deaf", (), {"port": deaf.getsockname()[1]})
    with LineHost(lambda line: b"STORED\r\n") as well, deaf:
        settings = {"on_rejoin": "replay", "buffer_size": 4096, "timeout_ms": 60_000}
        with router(well, host, route="AllInitialRoute", **settings) as served, client(served) as wire:
            for number in range(3000):
                wire.send(b"set k%d 0 0 4000\r\n%b\r\n" % (number, b"v" * 4000))
                assert wire.read_until(b"\n") == b"STORED\r\n"
            stats = served.stats()["hosts"]
            assert stats[f"127.0.0.1:{host.port}"]["healthy"] is False
            assert served._rows[0][served._layout.missed[1]] > 0


def test_a_request_behind_an_urgent_byte_is_answered():
    with LineHost(lambda line: b"END\r\n") as host, router(host, route="LocalRoute") as served, client(served) as wire:
        for _ in range(3):
            wire.sock.send(b"version\r\n")
            wire.sock.send(b"!", socket.MSG_OOB)
            wire.sock.send(b"version\r\n")
            assert wire.read_until(b"\n").startswith(b"VERSION") and wire.read_until(b"\n").startswith(b"VERSION")


def test_a_request_behind_a_descriptor_is_answered(tmp_path):
    path, host, sock = tmp_path / "socket", LineHost(lambda line: b"END\r\n"), socket.socket(socket.AF_UNIX)
    with host, router(host, route="LocalRoute", listen=f"unix://{path}"), sock, sock.makefile("rb") as answers:
        sock.settimeout(DEADLINE)
        sock.connect(str(path))
        for _ in range(3):
            socket.send_fds(sock, [b"version\r\n"], [sock.fileno()])
            sock.sendall(b"version\r\n")
            assert answers.readline().startswith(b"VERSION") and answers.readline().startswith(b"VERSION")


def test_without_epoll_an_idle_connection_is_not_reported():
    poller, (one, other) = SelectorPoller(), socket.socketpair()
    with one, other:
        poller.add_stream(one.fileno())
        assert poller.poll(0) == []
        poller.want_write(one.fileno(), True)
        assert poller.poll(0) != []
        poller.close()


@pytest.mark.skipif(not HAS_EPOLL, reason="there is no epoll")
def test_with_epoll_a_connection_is_reported_when_something_changes_and_not_again():
    poller, (one, other) = EpollPoller(), socket.socketpair()
    with one, other:
        poller.add_stream(one.fileno())
        assert poller.poll(0) == [(one.fileno(), OUT)]
        assert poller.poll(0) == []
        other.send(b"x")
        assert poller.poll(0) == [(one.fileno(), IN | OUT)]
        assert poller.poll(0) == []
        other.shutdown(socket.SHUT_WR)
        ((_, mask),) = poller.poll(0)
        assert mask & RDHUP and mask & GONE and mask & READ_ON
        assert poller.poll(0) == []
    poller.close()


@pytest.mark.parametrize("make", [SelectorPoller, *([EpollPoller] if HAS_EPOLL else [])])
def test_a_listener_is_reported_until_it_is_seen_to(make):
    poller, (one, other) = make(), socket.socketpair()
    with one, other:
        poller.add_listener(one.fileno())
        assert poller.poll(0) == []
        other.send(b"x")
        for _ in range(3):
            assert poller.poll(0) == [(one.fileno(), IN)]
        one.recv(1)
        assert poller.poll(0) == []
        poller.remove(one.fileno())
        other.send(b"x")
        assert poller.poll(0) == []
    poller.close()


class Buggy:
    """Does what the loop calls it for wrongly."""

    aborted = 0

    def flush(self):
        raise RuntimeError("a bug")

    def abort(self):
        self.aborted += 1
        raise RuntimeError("another")


@pytest.mark.parametrize("scheduled", [
    lambda loop, owner: loop.dirty_hosts.append(owner), lambda loop, owner: loop.dirty_clients.append(owner),
    lambda loop, owner: loop.call_soon(owner.flush), lambda loop, owner: loop.call_later(0, owner.flush),
    lambda loop, owner: loop.call_soon_threadsafe(owner.flush),
])  # fmt: skip
def test_after_a_bug_whatever_had_it_is_aborted_and_the_loop_goes_on(scheduled):
    loop, owner, after = engine_loop.PollGroup(), Buggy(), []
    scheduled(loop, owner)
    loop.call_soon(lambda: loop.call_soon(lambda: after.append(True)))
    for _ in range(4):
        loop.call_soon(lambda: None)  # so that no tick waits
        loop.tick()
    loop.close()
    assert (owner.aborted, after) == (1, [True])


@pytest.mark.parametrize("make", [SelectorPoller, *([EpollPoller] if HAS_EPOLL else [])])
def test_a_loop_that_is_closed_gives_all_descriptors_back(make):
    before = os.listdir("/dev/fd")
    loop, (one, other) = engine_loop.PollGroup(make()), socket.socketpair()
    loop.watch(one.fileno(), lambda _mask: None)
    loop.close_later(one.detach())
    other.close()
    loop.close()
    assert set(os.listdir("/dev/fd")) <= set(before)


def test_an_answer_to_mn_that_comes_late_lets_go_what_waits():
    """What has timed out meanwhile is not sent any more: it would overtake newer writes."""
    late = threading.Event()

    def says(line):
        if line == b"mn\r\n":
            assert late.wait(DEADLINE)
            return b"MN\r\n"
        return b"HD\r\n" if line.startswith(b"ms") else VALUE

    host = LineHost(says)
    with host, router(host, timeout_ms=1000, timeouts_until_tko=100) as served, client(served) as wire:
        assert wire.send(b"get a\r\n").read_until(b"END\r\n") == VALUE
        assert b"no reply within 1000 ms" in wire.send(b"ms a 1\r\nx\r\n").read_until(b"\n")
        late.set()
        until(lambda: wire.send(b"get a\r\n").read_until(b"\n").startswith(b"VALUE") and wire.read_until(b"END\r\n"))
        assert wire.send(b"ms b 1\r\ny\r\n").read_until(b"\n") == b"HD\r\n"
    assert b"ms a 1\r\nx\r\n" not in host.asked


class Early(ThreadedHost):
    """Answers a large set before it has read all of it, then reads on; `heard` is all that came, by connection."""

    def __init__(self):
        self.heard, self.may_read, self.done = [], threading.Event(), threading.Semaphore(0)
        super().__init__()

    def serve(self, sock):
        data = sock.recv(4096)
        if data.startswith(b"version"):
            sock.sendall(b"VERSION 1\r\n")
            return
        sock.sendall(b"STORED\r\n")
        assert self.may_read.wait(DEADLINE)
        at = len(self.heard)
        self.heard.append(data)
        more = data
        while more:
            more = sock.recv(1 << 20)
            self.heard[at] += more
        self.done.release()


def test_a_connection_on_which_a_large_value_was_answered_early_carries_nothing_else():
    """The host would take the next request for the rest of the value."""
    with Early() as host, router(host, buffer_size=4096) as served, client(served) as one, client(served) as two:
        value = b"a" * (12 << 20)
        sender = threading.Thread(target=one.send, args=(b"set first 0 0 %d\r\n" % len(value), value + b"\r\n"))
        sender.start()
        assert one.read_until(b"\n") == b"STORED\r\n"
        sender.join(DEADLINE)
        two.send(b"set second 0 0 5000\r\n%b\r\n" % (b"b" * 5000))
        assert two.read_until(b"\n") == b"STORED\r\n"
        host.may_read.set()
        until(lambda: any(heard.startswith(b"set first") for heard in host.heard))
    for _ in range(2):
        assert host.done.acquire(timeout=DEADLINE)
    assert not any(b"set first" in heard and b"set second" in heard for heard in host.heard)


@pytest.mark.parametrize("size", [100_000, 4_000_000])
def test_a_client_that_goes_in_the_midst_of_an_upload_gives_its_place_free(size):
    """A route counts what is under way: it is told that this is over."""
    limit = {"type": "OutstandingLimitRoute", "max_outstanding": 1, "target": "DefaultRoute"}
    with Large() as host, router(host, route=limit, buffer_size=4096) as served, client(served) as wire:
        for _ in range(3):
            with client(served) as leaving:
                leaving.send(b"set k 0 0 %d\r\n%b" % (size, b"x" * 80_000))
                until(lambda: served._worker._policy.hosts[f"127.0.0.1:{host.port}"].streaming.busy)
        assert wire.send(b"get k\r\n").read_until(b"\n") == b"END\r\n"


def test_an_older_write_is_not_done_after_the_key_of_a_dropped_one_was_deleted():
    """The host is slow: a copy is still on its way to it when a later one, of the same key, is dropped."""
    may_read, done = threading.Event(), []

    class Slow(ThreadedHost):
        def serve(self, sock):
            with sock.makefile("rb") as lines:
                for line in lines:
                    if line.startswith(b"set"):
                        assert may_read.wait(DEADLINE)
                        lines.read(int(line.split()[4]) + 2)
                        done.append((b"set", line.split()[1]))
                        sock.sendall(b"STORED\r\n")
                    elif line.startswith(b"delete"):
                        done.append((b"delete", line.split()[1]))
                        sock.sendall(b"DELETED\r\n")
                    else:
                        sock.sendall(b"VERSION 1\r\n")

    value = b"v" * 4000
    with LineHost(lambda line: b"STORED\r\n") as well, Slow() as slow:
        settings = {"on_rejoin": "replay", "buffer_size": 4096, "timeout_ms": 60_000}
        with router(well, slow, route="AllInitialRoute", **settings) as served, client(served) as wire:
            missed = lambda: served._rows[0][served._layout.missed[1]]  # noqa: E731
            sent = 0
            while not missed():
                wire.send(b"set k%d 0 0 4000\r\n%b\r\n" % (sent % 2, value))
                assert wire.read_until(b"\n") == b"STORED\r\n"
                sent += 1
            key = b"k%d" % ((sent - 1) % 2)
            may_read.set()
            until(lambda: (b"delete", key) in done)
            until(lambda: served.stats()["hosts"][f"127.0.0.1:{slow.port}"]["healthy"])
    assert (b"set", key) not in done[done.index((b"delete", key)) :]


def test_large_values_that_are_late_fail_in_the_order_in_which_they_were_asked_for():
    class Late:
        def is_queued_since(self, _due):
            return False

        def is_due(self, _due):
            return True

        def fail(self, _code, _why):
            failed.append(self)

    failed, connections = [], StreamingPool(SimpleNamespace(timeout=1.0))
    began = [Late() for _ in range(20)]
    connections.busy.update(dict.fromkeys(began))
    assert connections.expire(0.0) == 20
    assert failed == began


@pytest.mark.parametrize("route", ["DefaultRoute", "AllSyncRoute", "AllFastestRoute"])
@pytest.mark.parametrize("end", [b"\rX", b"XX", b"X\n"])
@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_a_large_value_that_does_not_end_where_its_length_says_is_stored_by_no_host(route, end, cut):
    with Large() as one, Large() as two, router(one, two, route=route, buffer_size=4096) as served, client(served) as wire:
        value = b"v" * 100_000 + end
        wire.send(b"set k 0 0 100000\r\n" + value[: len(value) - cut], *([value[len(value) - cut :]] if cut else []))
        assert wire.read_until(b"\n") == b"CLIENT_ERROR bad data chunk\r\n"
        assert wire.send(b"get k\r\n").read_until(b"\n") == b"END\r\n"
        assert not one.done and not two.done


def test_the_head_of_a_large_value_takes_no_connection():
    with Large() as host, contextlib.ExitStack() as stack:
        served = stack.enter_context(router(host, buffer_size=4096))
        for number in range(30):
            stack.enter_context(client(served)).send(b"set k%d 0 0 2000000\r\n%b" % (number, b"x" * 1000))
        wire = stack.enter_context(client(served))
        assert wire.send(b"get k\r\n").read_until(b"\n") == b"END\r\n"
        until(lambda: sum(one.transfer is not None for one in served._worker.frontend.clients.values()) == 30)
        assert not served._worker._policy.hosts[f"127.0.0.1:{host.port}"].streaming.busy


def test_a_client_that_does_not_go_on_with_a_large_value_is_idle():
    with Large() as host, router(host, buffer_size=4096, client_idle_timeout=0.3) as served:
        for size in (1000, 90_000):
            with client(served) as wire:
                assert wire.send(b"set k 0 0 2000000\r\n%b" % (b"x" * size)).read_to_close() == b""


def test_a_host_is_sent_so_many_large_values_at_once_and_those_that_stall_give_way(monkeypatch):
    monkeypatch.setattr(streaming_pool, "_MOST", 3)
    with Large() as host, contextlib.ExitStack() as stack:
        served = stack.enter_context(router(host, buffer_size=4096, timeout_ms=1000, timeouts_until_tko=100))
        connections = served._worker._policy.hosts[f"127.0.0.1:{host.port}"].streaming
        stalled = [stack.enter_context(client(served)) for _ in range(3)]
        for number, wire in enumerate(stalled):
            wire.send(b"set s%d 0 0 90000\r\n%b" % (number, b"s" * 80_000))
        until(lambda: sum(connection.is_at_work() for connection in connections.busy) == 3)
        quick = [stack.enter_context(client(served)) for _ in range(2)]
        for number, wire in enumerate(quick):
            wire.send(b"set q%d 0 0 90000\r\n%b\r\n" % (number, b"q" * 90_000))
        assert sum(connection.is_at_work() for connection in connections.busy) <= 3
        for wire in quick:
            assert wire.read_until(b"\n") == b"STORED\r\n"
        answers = [wire.send(b"s" * 10_000 + b"\r\n").read_until(b"\n") for wire in stalled]
        assert any(b"its client does not go on, and others wait" in answer for answer in answers)
        assert served._worker._policy.hosts[f"127.0.0.1:{host.port}"].healthy


@pytest.mark.parametrize(("drips", "is_due"), [([1] * 40, True), ([16384] * 40, False), ([5000] * 40, False), ([100] * 40, True)])
def test_a_large_value_that_drips_is_late_however_often_a_byte_comes(drips, is_due):
    """Each drip takes a quarter of the timeout."""
    loop = SimpleNamespace(now=1000.0)
    one = streaming.StreamingConnection(SimpleNamespace(loop=loop, patterns=reply_patterns()))
    one._exchange, one._reader = Exchange.TALKING, SimpleNamespace(can_take=lambda: True)
    late = []
    for count in drips:
        loop.now += 0.25
        one._progress(count)
        late.append(one.is_due(loop.now - 1.0))
    assert any(late) is is_due


@pytest.mark.parametrize(("count", "is_due"), [(LEAST - 1, True), (LEAST, False)])
def test_the_time_of_a_large_value_begins_anew_when_enough_of_it_has_moved(count, is_due):
    loop = SimpleNamespace(now=1000.0)
    one = streaming.StreamingConnection(SimpleNamespace(loop=loop, patterns=reply_patterns()))
    one._exchange, one._reader = Exchange.TALKING, SimpleNamespace(can_take=lambda: True)
    loop.now += 0.75
    one._progress(count)
    loop.now += 0.75
    assert one.is_due(loop.now - 1.0) is is_due


def test_a_large_value_is_late_when_the_host_has_let_it_wait_for_just_so_long():
    loop = SimpleNamespace(now=1000.0)
    one = streaming.StreamingConnection(SimpleNamespace(loop=loop, patterns=reply_patterns()))
    one._reader = SimpleNamespace(can_take=lambda: True)
    for exchange, is_late in ((Exchange.TALKING, True), (Exchange.ASKING, True), (Exchange.QUEUED, False),
                              (Exchange.CONNECTING, False)):  # fmt: skip
        one._exchange = exchange
        assert one.is_due(1000.0) is is_late and not one.is_due(999.5)
    one._exchange = Exchange.QUEUED
    assert one.is_queued_since(1000.0) and not one.is_queued_since(999.5)
    one._exchange, one._reader = Exchange.TALKING, SimpleNamespace(can_take=lambda: False)
    assert one.is_stalled_since(1000.0) and not one.is_stalled_since(999.5) and not one.is_due(1000.0)
    one.unsent = b"x"
    assert not one.is_stalled_since(1000.0)


class Stalled:
    """A large value that its client does not go on with, for `seconds`."""

    def __init__(self, seconds):
        self.since, self.why = 100.0 - seconds, None

    def is_at_work(self):
        return True

    def is_stalled_since(self, due):
        return self.since <= due

    def give_up(self, why):
        self.why = why


@pytest.mark.parametrize("timeout", [0.5, 2.0])
@pytest.mark.parametrize(("queued", "part", "gone"), [(0, 1.0, 1), (streaming_pool._MOST // 4, 0.8, streaming_pool._MOST // 4 + 1), (streaming_pool._MOST, 0.5, streaming_pool._MOST)])
def test_the_more_large_values_wait_the_sooner_those_that_stall_give_way(queued, part, gone, timeout):
    """A client has a second at the most, or the host's timeout if that is less."""
    patience = part * min(timeout, 1.0)
    connections = StreamingPool(SimpleNamespace(timeout=timeout, loop=SimpleNamespace(now=100.0)))
    for _ in range(queued):
        connections.wait_for_room(lambda: None)
    well = [Stalled(patience - 0.001) for _ in range(streaming_pool._MOST)]
    connections.busy = dict.fromkeys(well)
    assert not connections.has_room()
    assert not any(one.why for one in well)
    stalled = [Stalled(patience) for _ in range(streaming_pool._MOST)]
    connections.busy = dict.fromkeys(stalled)
    assert not connections.has_room()
    assert [one.why is not None for one in stalled] == [True] * gone + [False] * (streaming_pool._MOST - gone)
    connections.busy.popitem()
    assert connections.has_room()


def test_what_waited_for_the_connection_before_an_ms_does_not_wait_for_the_answer_to_mn():
    silent = threading.Event()

    def says(line):
        if line == b"mn\r\n":
            silent.wait(DEADLINE)
        return VALUE

    with LineHost(says) as host, router(host, timeout_ms=60_000) as served, client(served) as one, client(served) as two:
        connection = served._worker._policy.hosts[f"127.0.0.1:{host.port}"].connections[0]
        until(lambda: connection.is_open())
        done = []

        def wait_for_the_connection():
            connection.failures = 5  # so that the next attempt takes a moment
            connection.restart("a test")
            done.append(True)

        served._worker.loop.call_soon_threadsafe(wait_for_the_connection)
        until(lambda: done)
        one.send(b"get a\r\n")
        until(lambda: len(connection.inflight) == 1)
        two.send(b"ms a 1\r\nx\r\n")
        until(lambda: len(connection.inflight) >= 2)
        assert one.read_until(b"END\r\n") == VALUE
        silent.set()

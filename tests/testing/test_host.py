"""The embedded host: it answers as memcached does, does wrong what it is told to, and leaves nothing behind."""

import contextlib
import gc
import os
import socket
import threading
import time

import pytest

from mcrouter.testing import Conversation, DemoHost, Store
from tests.differential.compare import same
from tests.differential.harness import normal, split, talk
from tests.differential.load import CASES
from tests.support.processes import Memcached, until
from tests.support.wire import Wire

GROUPS = sorted({case.group for case in CASES})


@pytest.fixture
def host():
    with DemoHost() as started:
        yield started


@pytest.fixture(scope="module")
def pair():
    """(an embedded host, a real memcached)."""
    memcached = Memcached("-m", "256").start()
    with DemoHost() as demo:
        yield demo, memcached
    memcached.stop()


@pytest.mark.parametrize("group", [*(group for group in GROUPS if group != "flush"), "flush"])
def test_it_answers_as_memcached_does(pair, group):
    cases = [case for case in CASES if case.group == group]
    for number, case in enumerate(cases):
        stream = case.stream(b"%b:%d:" % (group.encode(), number))
        answers = [talk(server.port, [stream]) for server in pair]
        assert same(*answers, stream), (case.name, stream[:500], answers)


@pytest.mark.parametrize("group", GROUPS)
def test_it_answers_alike_however_the_bytes_come(group):
    """Byte by byte and at once, with something behind; no socket is needed. What was counted aside: it was more."""
    for case in CASES:
        if case.group != group or max(map(len, case.data.split(b"\n"))) > 2000:
            continue  # a long line is fine when it comes at once only, as with memcached
        stream = case.stream(b"own:") + b"\r\nversion\r\n"
        whole, bytewise = Conversation(Store(clock=lambda: 1e9)), Conversation(Store(clock=lambda: 1e9))
        answer = b"".join(bytewise.receive(byte) for byte in split(stream, range(len(stream))))
        assert normal(answer) == normal(whole.receive(stream)), case.name
        assert whole.closed == bytewise.closed, case.name


def test_time_passes_and_values_end():
    now = [1000.0]
    talk = Conversation(Store(clock=lambda: now[0])).receive
    assert talk(b"set a 0 10 1\r\nx\r\nset b 0 0 1\r\ny\r\nmg a t\r\n") == b"STORED\r\nSTORED\r\nHD t10\r\n"
    now[0] += 9.5
    assert talk(b"get a b\r\ntouch b 5\r\nmg a t l\r\n").endswith(b"END\r\nTOUCHED\r\nHD t1 l0\r\n")
    now[0] += 1
    assert talk(b"get a\r\nincr a 1\r\nget b\r\n") == b"END\r\nNOT_FOUND\r\nVALUE b 0 1\r\ny\r\nEND\r\n"
    now[0] += 5
    assert talk(b"get b\r\n") == b"END\r\n"


def test_a_flush_with_a_delay_waits():
    now = [1000.0]
    talk = Conversation(Store(clock=lambda: now[0])).receive
    assert talk(b"set a 0 0 1\r\nx\r\nflush_all 10\r\nmg a\r\n") == b"STORED\r\nOK\r\nHD\r\n"
    now[0] += 10
    assert talk(b"mg a\r\nset a 0 0 1\r\nx\r\nmg a\r\n") == b"EN\r\nSTORED\r\nHD\r\n"


def test_limits():
    talk = Conversation(Store(item_max=1000, byte_max=500)).receive
    assert talk(b"set a 0 0 1000\r\n" + b"x" * 1000 + b"\r\nversion\r\n").startswith(b"SERVER_ERROR object too large")
    assert talk(b"set a 0 0 300\r\n" + b"x" * 300 + b"\r\n") == b"STORED\r\n"
    assert talk(b"set b 0 0 300\r\n" + b"x" * 300 + b"\r\n") == b"SERVER_ERROR out of memory storing object\r\n"
    assert talk(b"delete a\r\nset b 0 0 300\r\n" + b"x" * 300 + b"\r\n") == b"DELETED\r\nSTORED\r\n"


def test_start_and_stop_as_often_as_one_likes_and_what_is_stored_stays():
    host = DemoHost()
    host.stop()
    host.start()
    host.start()
    port = host.port
    assert host.address == f"127.0.0.1:{port}"
    with Wire(port) as wire:
        assert wire.ask(b"set k 0 0 1\r\nv\r\n") == b"STORED\r\n"
        host.stop()
        host.stop()
        assert wire.read_to_close() == b""
    with pytest.raises(ConnectionRefusedError):
        Wire(port)
    with host, Wire(port) as wire:
        assert wire.ask(b"get k\r\n") == b"VALUE k 0 1\r\nv\r\nEND\r\n"


def test_a_port_in_use_is_told_and_leaves_nothing(host):
    other = DemoHost(host.port)
    with pytest.raises(OSError):
        other.start()
    other.stop()


def test_nothing_is_left_after_stop():
    with DemoHost():
        pass
    gc.collect()
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        host = DemoHost().start()
        host.faults.delay = 60.0
        wires = [Wire(host.port).send(b"version\r\n") for _ in range(3)]
        host.stop()
        for wire in wires:
            wire.sock.close()
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_large_values_and_many_commands_at_once(host):
    value = b"z" * 1000000
    with Wire(host.port) as wire:
        assert wire.ask(b"set k 0 0 1000000\r\n" + value + b"\r\n") == b"STORED\r\n"
        wire.send(b"get k\r\n" * 20)
        time.sleep(0.05)  # so that its send buffer fills
        assert wire.read_exactly(20 * (len(value) + 26)) == (b"VALUE k 0 1000000\r\n" + value + b"\r\nEND\r\n") * 20
        assert wire.ask(b"version\r\n" * 10000).count(b"VERSION") == 10000


def test_mute(host):
    with Wire(host.port) as wire:
        host.faults.mute = True
        wire.send(b"set k 0 0 1\r\nv\r\n")
        assert wire.is_silent(0.1)
        until(lambda: b"k" in host.store.items, "the silent set")
        host.faults.clear()
        assert wire.ask(b"get k\r\n") == b"VALUE k 0 1\r\nv\r\nEND\r\n"


def test_deaf(host):
    with Wire(host.port) as wire:
        assert wire.ask(b"version\r\n")
        host.faults.deaf = True
        wire.sock.settimeout(0.2)
        with pytest.raises(socket.timeout):
            wire.send(b"set k 0 0 100000000\r\n" + b"x" * 30000000)  # more than the socket buffers hold
    with Wire(host.port) as wire:
        wire.send(b"version\r\n")
        assert wire.is_silent(0.1)
        host.faults.deaf = False
        assert wire.read_until(b"\r\n").startswith(b"VERSION")


def test_refuse(host):
    with Wire(host.port) as known:
        assert known.ask(b"version\r\n")
        host.faults.refuse = True
        with contextlib.suppress(ConnectionResetError), Wire(host.port) as wire:
            assert wire.read_to_close() == b""
        assert known.ask(b"version\r\n")


def test_delay_and_drip(host):
    with Wire(host.port) as wire:
        host.faults.delay = 0.2
        began = time.monotonic()
        wire.send(b"version\r\n")
        whole = wire.read_until(b"\r\n")
        assert time.monotonic() - began >= 0.2
        host.faults.clear()
        host.faults.drip = 4
        wire.send(b"version\r\n")
        assert len(wire.sock.recv(100)) == 4
        assert len(wire.read_until(b"\r\n")) == len(whole) - 4


def test_cut_after_and_garbage(host):
    host.faults.cut_after = 10
    with Wire(host.port) as wire:
        wire.send(b"version\r\n")
        assert wire.read_to_close() == b"VERSION 1."
    host.faults.clear()
    host.faults.garbage = b"\0\xffSTORED"
    with Wire(host.port) as wire:
        wire.send(b"version\r\n")
        assert wire.read_exactly(8) == b"\0\xffSTORED"


def test_an_unknown_fault_is_told(host):
    with pytest.raises(AttributeError, match=r"no fault is called 'slow'; there are refuse, mute"):
        host.faults.slow = True

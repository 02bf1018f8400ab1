"""Values that are too large to be held: they pass in pieces, whole and in order, and cost little memory."""

import json
import random
import re
import socket
import threading
from pathlib import Path

import pytest

from tests.support.processes import DEADLINE, config, until
from tests.support.wire import Wire

ROUTES = ["DefaultRoute", "AllFastestRoute", "MissFailoverRoute"]
SMALL = ("--buffer-size", "4096", "-r", "5000")  # so that what is large takes few bytes
MB = 1 << 20


def addresses(hosts):
    return [f"127.0.0.1:{host.port}" for host in hosts]


def value(size, seed=0):
    return random.Random(seed).randbytes(min(size, MB)) * (size // MB) + random.Random(seed).randbytes(size % MB)


def stored(key, data, flags=b"0", verb=b"set"):
    return b"%b %b %b 0 %d\r\n%b\r\n" % (verb, key, flags, len(data), data)


def block(key, data, flags=b"0"):
    return b"VALUE %b %b %d\r\n%b\r\n" % (key, flags, len(data), data)


def peak(process):
    """The most memory it ever had, in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


@pytest.fixture
def large(memcacheds, router):
    """A router with a small buffer over memcacheds that take 16 MB: (its port, the hosts)."""

    def start(count=1, route="DefaultRoute", flags=SMALL):
        hosts = memcacheds(count, "-I", "16m", "-m", "256")
        proxy = router(config(addresses(hosts), route), *flags)
        until(lambda: proxy.metrics()["mcrouter_upstream_healthy_hosts_total"] == count)
        return proxy, hosts

    return start


def move(port, number, size, wrong):
    data = value(size, number)
    key = b"key%d" % number
    with Wire(port) as wire:
        wire.send(stored(key, data, b"7"))
        if wire.read_exactly(8) != b"STORED\r\n":
            wrong.append(f"{number}: not stored")
        for line in (b"get %b\r\n", b"get nothing %b nothing2\r\n"):
            expected = block(key, data, b"7") + b"END\r\n"
            if wire.send(line % key).read_exactly(len(expected)) != expected:
                wrong.append(f"{number}: another value")


@pytest.mark.parametrize("route", ROUTES)
def test_eight_clients_move_eight_megabytes_each_at_once_through_every_route(large, route):
    proxy, _hosts = large(2, route, ("-r", "5000"))
    wrong = []
    threads = [threading.Thread(target=move, args=(proxy.port, n, 8 * MB, wrong)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert peak(proxy.process) < 100


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("size", [4097, 65_530, 300_000, 2_000_000])
def test_a_pipeline_with_large_values_is_answered_in_order(large, route, size):
    proxy, _hosts = large(2, route)
    one, two = value(size, 1), value(size, 2)
    sent = [
        (b"get small big\r\n", b"END\r\n"),
        (stored(b"small", b"s"), b"STORED\r\n"),
        (stored(b"big", one), b"STORED\r\n"),
        (b"get small\r\nget big\r\n", block(b"small", b"s") + b"END\r\n" + block(b"big", one) + b"END\r\n"),
        (stored(b"big", two, b"5"), b"STORED\r\n"),
        (b"get nothing big small\r\n", block(b"big", two, b"5") + block(b"small", b"s") + b"END\r\n"),
        (b"gat 0 big small\r\n", block(b"big", two, b"5") + block(b"small", b"s") + b"END\r\n"),
        (stored(b"small", one).replace(b"\r\n", b" noreply\r\n", 1), b""),
        (b"mg small s f v\r\n", b"VA %d s%d f0\r\n%b\r\n" % (size, size, one)),
        (b"mg big v q\r\nmg nothing v q\r\n", b"VA %d\r\n%b\r\n" % (size, two)),
        (b"ms big %d F3\r\n%b\r\n" % (size, one), b"HD\r\n"),
        (stored(b"big", two, verb=b"add"), b"NOT_STORED\r\n"),
        (b"set big 0 0 %d\r\n%b" % (size, one) + b"xy", b"CLIENT_ERROR bad data chunk\r\n"),
        (b"mn\r\n", b"MN\r\n"),
    ]
    data, expected = (b"".join(parts) for parts in zip(*sent))
    for cuts in ([], [100, 5000, size, size + 70, 2 * size + 300], range(0, len(data), size // 7 + 1)):
        with Wire(proxy.port) as wire:
            sender = threading.Thread(target=lambda: wire.send_split(data, cuts))  # noqa: B023 - joined below
            sender.start()
            got = wire.read_exactly(len(expected))
            sender.join()
            assert got == expected
            assert wire.ask(b"delete small\r\ndelete big\r\n") == b"DELETED\r\nDELETED\r\n"


def test_a_get_does_not_see_what_its_client_stores_later(large):
    proxy, _hosts = large()
    one, two = value(500_000, 1), value(500_000, 2)
    with Wire(proxy.port) as wire:
        wire.send(stored(b"k", one)).read_until(b"STORED\r\n")
        for _ in range(20):
            wire.send(b"get k\r\n" + stored(b"k", two) + b"get k\r\n" + stored(b"k", one))
            expected = b"STORED\r\n".join([block(b"k", one) + b"END\r\n", block(b"k", two) + b"END\r\n", b""])
            assert wire.read_exactly(len(expected)) == expected
            wire.send(b"get k\r\nset k 0 0 3\r\nnew\r\n" + stored(b"k", one))  # a run that cannot be asked again
            expected = block(b"k", one) + b"END\r\n" + b"STORED\r\n" * 2
            assert wire.read_exactly(len(expected)) == expected


def test_a_value_that_the_host_finds_too_large_leaves_the_client_in_step(memcacheds, router):
    proxy = router(config(addresses(memcacheds(1)), "DefaultRoute"), *SMALL)
    answer = b"SERVER_ERROR object too large for cache\r\n"
    with Wire(proxy.port) as wire:
        wire.send(b"get a\r\n" + stored(b"big", value(3 * MB)) + b"get big\r\nmn\r\n").finish()
        assert wire.read_to_close() == b"END\r\n" + answer + b"END\r\nMN\r\n"


def test_who_does_not_read_a_large_value_keeps_nobody_waiting(large):
    proxy, _hosts = large(1, flags=("-r", "1000"))
    with Wire(proxy.port) as slow, Wire(proxy.port) as other:
        slow.send(stored(b"big", value(12 * MB)) + stored(b"k", b"v")).read_until(b"STORED\r\nSTORED\r\n")
        slow.send(b"get big\r\n")
        for _ in range(300):
            assert other.ask(b"get k\r\n") == block(b"k", b"v") + b"END\r\n"
        expected = block(b"big", value(12 * MB)) + b"END\r\n"
        assert slow.read_exactly(len(expected)) == expected
    assert peak(proxy.process) < 60


def test_a_client_that_pipelines_much_and_reads_nothing_is_not_held_in_memory(large):
    proxy, _hosts = large(2, flags=("-r", "5000"))
    data = value(MB - 100)
    with Wire(proxy.port) as slow, Wire(proxy.port) as other:
        slow.send(stored(b"k", data)).read_until(b"STORED\r\n")
        slow.send(b"get k\r\n" * 200)
        for _ in range(300):
            other.ask(b"get nothing\r\n")
        assert peak(proxy.process) < 60
        expected = block(b"k", data) + b"END\r\n"
        for _ in range(200):
            assert slow.read_exactly(len(expected)) == expected
    assert peak(proxy.process) < 60


def test_a_host_lost_in_the_midst_of_a_value_ends_the_client(large):
    proxy, hosts = large(2, "AllFastestRoute")
    data = value(12 * MB)
    with Wire(proxy.port) as wire:
        assert wire.send(stored(b"big", data)).read_exactly(8) == b"STORED\r\n"
        wire.send(b"get big\r\n").read_exactly(1000)
        for host in hosts:
            host.kill()
        got = wire.read_to_close()
        rest = (block(b"big", data) + b"END\r\n")[1000:]
        assert rest.startswith(got) and got != rest


@pytest.mark.parametrize("route", ROUTES)
def test_a_host_lost_in_the_midst_of_a_store_is_told_in_one_line(large, route):
    proxy, hosts = large(1, route)
    with Wire(proxy.port) as wire:
        data = stored(b"big", value(12 * MB))
        wire.send(data[: 6 * MB])
        until(lambda: proxy.metrics()[f'mcrouter_upstream_connections_total{{host="127.0.0.1:{hosts[0].port}"}}'] == 2)
        hosts[0].kill()
        answer = wire.send(data[6 * MB :] + b"get\r\n").read_until(b"\nERROR\r\n")
        assert answer.startswith(b"SERVER_ERROR mcrouter: ") and answer.count(b"\r\n") == 2


def test_one_of_two_hosts_lost_in_the_midst_of_a_store_is_no_matter(large):
    proxy, hosts = large(2, "AllFastestRoute")
    with Wire(proxy.port) as wire:
        data = stored(b"big", value(12 * MB))
        wire.send(data[: 6 * MB])
        hosts[0].kill()
        assert wire.send(data[6 * MB :]).read_exactly(8) == b"STORED\r\n"
    assert hosts[1].has(b"big")


def test_a_hung_host_times_out_in_the_midst_of_a_store(large):
    proxy, hosts = large(1, flags=("--buffer-size", "4096", "-r", "1000"))
    with Wire(proxy.port) as wire:
        data = stored(b"big", value(12 * MB))
        wire.send(data[:MB])
        hosts[0].freeze()
        answer = wire.send(data[MB:] + b"get\r\n").read_until(b"\nERROR\r\n")
        assert answer.startswith(b"SERVER_ERROR mcrouter: ") and answer.count(b"\r\n") == 2


def test_a_client_that_takes_its_time_is_no_fault_of_the_host(large):
    proxy, hosts = large(2, flags=("--buffer-size", "4096", "-r", "1000", "-H", "500ms"))
    data = stored(b"big", value(MB))
    hosts[1].freeze()  # its probes tell the time: one unanswered takes as long as a timeout
    with Wire(proxy.port) as wire:
        wire.send(data[:5000])
        until(lambda: proxy.metrics()["mcrouter_upstream_healthy_hosts_total"] == 1)
        assert wire.send(data[5000:]).read_exactly(8) == b"STORED\r\n"


def test_clients_that_go_in_the_midst_leave_nothing_behind(large):
    proxy, hosts = large(2, "AllFastestRoute")
    connections = [f'mcrouter_upstream_connections_total{{host="{name}"}}' for name in addresses(hosts)]
    data = stored(b"big", value(6 * MB))
    with Wire(proxy.port) as wire:
        wire.send(data).read_until(b"STORED\r\n")
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", proxy.port), DEADLINE) as sock:
            sock.sendall(data[: 2 * MB])
        with socket.create_connection(("127.0.0.1", proxy.port), DEADLINE) as sock:
            sock.sendall(b"get big\r\n")
            sock.recv(1000)
    until(lambda: proxy.metrics()["mcrouter_client_connections"] == 0)
    until(lambda: all(proxy.metrics()[name] <= 1 + 4 for name in connections))
    assert proxy.ask(b"get nothing\r\n") == b"END\r\n"


def test_the_end_of_a_client_is_seen_also_when_it_had_to_wait(large):
    proxy, _hosts = large()
    with Wire(proxy.port) as wire:
        wire.send(b"get x\r\n" + stored(b"big", value(100_000)) + b"get nothing\r\n" * 3000).finish()
        assert wire.read_to_close() == b"END\r\nSTORED\r\n" + b"END\r\n" * 3000


def test_a_host_that_does_not_read_pauses_who_asks_it_and_takes_no_memory(large):
    proxy, hosts = large(1, flags=("-r", "2000"))
    sets = stored(b"k", value(900_000)) * 150
    with Wire(proxy.port) as wire:
        wire.send(stored(b"k", b"v")).read_until(b"STORED\r\n")
        hosts[0].freeze()
        sender = threading.Thread(target=wire.sock.sendall, args=(sets,))
        sender.start()
        until(lambda: sum(v for name, v in proxy.metrics().items() if name.startswith("mcrouter_upstream_errors")) > 0)
        assert peak(proxy.process) < 60
        hosts[0].thaw()
        answers = [wire.read_until(b"\r\n") for _ in range(150)]
        sender.join()
    assert all(answer == b"STORED\r\n" or answer.startswith(b"SERVER_ERROR mcrouter: ") for answer in answers)
    assert peak(proxy.process) < 60


ROUTED = {
    "a prefix": ("PoolRoute|A", b"/././"),
    "another name": ({"type": "ModifyKeyRoute", "target": "PoolRoute|A", "ensure_key_prefix": "p:"}, b""),
    "to all": ("AllSyncRoute|Pool|A", b""),
    "most": ("AllMajorityRoute|Pool|A", b""),
    "later": ({"type": "LatencyInjectionRoute", "child": "PoolRoute|A", "after_latency_ms": 5}, b""),
    "failover": ({"type": "FailoverRoute", "children": "Pool|A"}, b""),
    "a shadow": ({"type": "PoolRoute", "pool": "A", "shadows": {"target": "PoolRoute|B"}}, b""),
    "warm up": ({"type": "WarmUpRoute", "cold": "PoolRoute|A", "warm": "PoolRoute|B", "exptime": 0}, b""),
}


@pytest.mark.parametrize("case", ROUTED)
def test_through_the_handles_of_facebook_mcrouter(memcacheds, router, case):
    """What is large and what is not; the client sees its own keys."""
    route, prefix = ROUTED[case]
    first, second, other = addresses(memcacheds(3, "-I", "16m", "-m", "256"))
    pools = {"A": {"servers": [first, second]}, "B": {"servers": [other]}}
    proxy = router(json.dumps({"pools": pools, "route": route}), *SMALL)
    with Wire(proxy.port) as wire:
        for size in (10, 3000, 200_000, 2 * MB + 5):
            key, data = prefix + b"key%d" % size, value(size, size)
            wire.send(stored(key, data))
            assert wire.read_exactly(8) == b"STORED\r\n"
            expected = block(key, data) + b"END\r\n"
            wire.send(b"get " + key + b"\r\n")
            assert wire.read_exactly(len(expected)) == expected
            wire.send(b"get " + key + b" " + prefix + b"none\r\n")
            assert wire.read_exactly(len(expected)) == expected

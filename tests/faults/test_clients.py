"""Clients that vanish, hang up half, drip or stop reading at any byte of their requests harm nobody but themselves.

Another client on the same upstream connection is answered rightly before, meanwhile and after; the backend never sees
half a request; and in the end the router holds no client.
"""

import re
import socket
import urllib.request

import pytest

from tests.faults.bench import RIGHT, Bench
from tests.faults.client import Client
from tests.support.processes import until

STREAM = (
    b"get another\r\n"
    b"set mine 0 0 9\r\nget x\r\nab\r\n"
    b"get innocent another absent\r\n"
    b"mg another v k\r\nms mine 3\r\nabc\r\nmn\r\n"
)
ENDS = [match.end() for match in re.finditer(rb"(?:get|mg|mn).*?\r\n(?!ab)|set .*\r\n.*\r\nab\r\n|ms .*\r\n.*\r\n", STREAM)]
ANSWERS = [RIGHT[b"another"], b"STORED\r\n", RIGHT[b"innocent"][:-5] + RIGHT[b"another"],
           b"VA 25 kanother\r\nwhat the victim asks next\r\n", b"HD\r\n", b"MN\r\n"]  # fmt: skip
LARGE = b"set mine 0 0 300000\r\n" + b"v" * 300000 + b"\r\n"  # more than the router holds: it passes in pieces
SMALL = 4096


def clients(bench):
    """How many the router says it has."""
    with urllib.request.urlopen(f"http://{bench.router.metrics_address}/metrics", timeout=10) as page:
        return float(re.search(rb"^mcrouter_client_connections (\S+)$", page.read(), re.M)[1])


@pytest.fixture(params=[("DefaultRoute", 1), ("MissFailoverRoute", 2)], ids=lambda param: param[0])
def bench(request):
    route, hosts = request.param
    settings = {"timeout_ms": 5000, "metrics_listen_addr": "127.0.0.1:0", "buffer_size": SMALL}
    with Bench(hosts, 1, route, **settings) as bench:
        yield bench
        until(lambda: clients(bench) == 2, "the router to let go of its clients")
        for client in bench.pairs[0]:
            client.cut()
        until(lambda: clients(bench) == 0, "the router to let go of the last clients")


def at_every_byte(bench, harm, stream=STREAM, places=None):
    """Sends the beginning of a stream and does harm there, for every beginning. The innocent is well served."""
    innocent = bench.pairs[0][0]
    for at in places or range(len(stream) + 1):
        with Client(bench.port) as client:
            innocent.send(b"get innocent\r\n")
            client.send(stream[:at])
            harm(client, at)
            innocent.send(b"get another\r\n")
            assert innocent.answer() == RIGHT[b"innocent"], at
            assert innocent.answer() == RIGHT[b"another"], at
    assert innocent.ask(b"get another\r\n") == RIGHT[b"another"]


def known_lines(bench):
    """What the backends were asked, the probes aside."""
    lines = set().union(*(backend.seen for backend in bench.backends)) - {b"version"}
    whole = {line.rstrip() for line in re.findall(rb"(?:get|set|mg|ms|mn).*\r\n", STREAM)} - {b"get x"}
    return lines <= whole | {b"get absent", b"get innocent", b"get another"}


def test_the_table_is_right():
    assert ENDS[-1] == len(STREAM)
    assert len(ENDS) == len(ANSWERS)


@pytest.mark.parametrize("way", ["cut", "reset"])
def test_a_client_vanishes_at_every_byte(bench, way):
    at_every_byte(bench, lambda client, at: getattr(client, way)())
    assert known_lines(bench)


def test_a_client_hangs_up_half_at_every_byte(bench):
    def harm(client, at):
        whole = [answer for end, answer in zip(ENDS, ANSWERS) if end <= at]
        assert client.finish().read_to_close() == b"".join(whole), at

    at_every_byte(bench, harm)
    assert known_lines(bench)


def test_a_client_drips_from_every_byte(bench):
    def harm(client, at):
        client.drip(STREAM[at:])
        assert client.read_until(b"MN\r\n") == b"".join(ANSWERS), at

    at_every_byte(bench, harm)
    assert known_lines(bench)


@pytest.mark.parametrize("way", ["cut", "reset", "finish"])
def test_a_client_vanishes_in_the_midst_of_a_large_value(bench, way):
    places = [0, 1, 20, 21, 22, 4000, SMALL, SMALL + 30, 20000, 131000, len(LARGE) - 3, len(LARGE) - 2, len(LARGE) - 1]
    at_every_byte(bench, lambda client, at: getattr(client, way)(), LARGE, places)
    until(lambda: not any(b"mine" in backend.store.values for backend in bench.backends), "nothing to be stored")


@pytest.mark.parametrize("way", ["cut", "reset"])
def test_a_client_stops_reading_and_vanishes(bench, way):
    innocent, other = bench.pairs[0]
    for backend in bench.backends:
        backend.store.values[b"large"] = b"v" * 3000  # a little less than what is not held
        backend.store.values[b"larger"] = b"v" * 100_000
    for key in (b"large", b"larger"):
        with Client(bench.port) as greedy:
            greedy.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, 4096)  # what it does not read stays with the router
            greedy.send(b"get %b\r\n" % key * 3000)
            for client in (innocent, other):
                assert client.ask(b"get innocent\r\nget another\r\n") == RIGHT[b"innocent"] + RIGHT[b"another"]
            getattr(greedy, way)()
        assert innocent.ask(b"get another\r\n") == RIGHT[b"another"]

"""Base64 keys that stand for anything, line ends included: no host repeats one, every client gets its own."""

import base64
import json

import pytest

from tests.support.processes import Memcached, RouterProcess
from tests.support.wire import Wire

VALUE = b"\r\nVALUE victim 0 5\r\nEVIL!\r\nEND\r\n"
KEY = base64.b64encode(VALUE * 3)
NULL = {"type": "NullRoute"}
SUFFIX = {"type": "ModifyKeyRoute", "set_key_suffix": "-v2"}


def before(hosts, route):
    return json.dumps({"orderedPool": [f"127.0.0.1:{host.port}" for host in hosts], "route": route})


@pytest.fixture(scope="module", params=["DefaultRoute", "MissFailoverRoute", "AllFastestRoute", SUFFIX], ids=str)
def port(request):
    """A router with a small buffer, before one memcached that takes large values."""
    host = Memcached("-I", "16m", "-m", "256").start()
    proxy = RouterProcess(before([host], request.param), "--buffer-size", "4096", "-r", "5000")
    yield proxy.port
    proxy.stop()
    host.stop()


def test_an_item_that_was_made_without_its_name(port):
    """memcached 1.6.18 would put the key's bytes into its reply."""
    with Wire(port) as wire, Wire(port) as victim:
        wire.ask(b"md %b b q\r\n" % KEY)
        assert wire.ask(b"mg %b b N0 k\r\n" % KEY) == b"HD k%b b W\r\n" % KEY
        for flags, answer in ((b"k b", b"HD k%b b Z"), (b"b O1 k v", b"VA 0 O1 k%b b Z\r\n"), (b"k q b t", b"HD k%b b t-1 Z")):
            assert wire.ask(b"mg %b %b\r\n" % (KEY, flags)) == answer % KEY + b"\r\n"
            assert victim.ask(b"get victim\r\n") == b"END\r\n"
        assert wire.ask(b"me %b b\r\n" % KEY) == b"CLIENT_ERROR bad command line format\r\n"


def test_every_command_and_outcome(port):
    with Wire(port) as wire:
        for key in (KEY, base64.b64encode(b"a b"), base64.b64encode(b"plain")):
            said = wire.ask(b"".join(line.replace(b"KEY", key) for line in (
                b"ms KEY 0 b q\r\n\r\n", b"md KEY b q\r\n", b"mg KEY b k O1\r\n", b"mg KEY b k q\r\n", b"ms KEY 1 k b MR\r\nx\r\n", b"ms KEY 1 b O2 k C5\r\nx\r\n",
                b"ms KEY 1 k b\r\n5\r\n", b"ms KEY 1 k b O3 ME\r\nx\r\n", b"ms KEY 1 b k q\r\n5\r\n", b"ma KEY b k v\r\n", b"ma KEY O4 b k q\r\n",
                b"mg KEY v s k b\r\n", b"md KEY C1 b k O5\r\n", b"md KEY b k\r\n", b"md KEY k b O6\r\n", b"ma KEY k b\r\n",
            )))  # fmt: skip
            lines = (b"EN kKEY b O1", b"NS kKEY b", b"NF O2 kKEY b", b"HD kKEY b", b"NS kKEY b O3", b"VA 1 kKEY b\r\n6", b"VA 1 s1 kKEY b\r\n7",
                     b"EX kKEY b O5", b"HD kKEY b", b"NF kKEY b O6", b"NF kKEY b")  # fmt: skip
            assert said == b"".join(line.replace(b"KEY", key) + b"\r\n" for line in lines)


def test_a_large_value_that_passes_in_pieces(port):
    data = VALUE * 20_000
    with Wire(port) as wire:
        assert wire.ask(b"ms %b %d k b O1\r\n%b\r\n" % (KEY, len(data), data)) == b"HD k%b b O1\r\n" % KEY
        expected = b"VA %d s%d k%b b O2\r\n%b\r\nMN\r\n" % (len(data), len(data), KEY, data)
        assert wire.send(b"mg %b s k v b O2\r\nmn\r\n" % KEY).read_exactly(len(expected)) == expected
        assert wire.ask(b"md %b b q\r\nmg %b k b v\r\n" % (KEY, KEY)) == b"EN k%b b\r\n" % KEY


def test_a_route_that_asks_nobody(memcacheds, router):
    with Wire(router(before(memcacheds(1), NULL)).port) as wire:
        said = wire.ask(b"mg %b O1 k b\r\nms %b 1 k b\r\nx\r\nmd %b b\r\nmg a k\r\n" % (KEY, KEY, KEY))
    assert said == b"EN O1 k%b b\r\nNS k%b b\r\nNF\r\nEN ka\r\n" % (KEY, KEY)

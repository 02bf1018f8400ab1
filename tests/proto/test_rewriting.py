"""Requests under other keys and with other expiry times: as the parser would read them, and back again."""

import base64
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcrouter.proto import outcomes as o
from mcrouter.proto.client.parser import RequestParser, RunPlan
from mcrouter.proto.exptimes import capped, exptime, with_exptime
from mcrouter.proto.reply import TOO_LARGE
from mcrouter.proto.request import Request
from mcrouter.proto.rewriting import (
    delete_of,
    deletion,
    get_of,
    gets_of,
    rekeyed,
    restored,
    restored_head,
    routing_name,
    store_of,
    touch_of,
    ttl_of,
    values,
)
from mcrouter.proto.runs import request_patterns

CASES = int(os.environ.get("CASES", "100"))
STRETCHES = request_patterns()


def parsed(data: bytes) -> Request:
    """The one request that `data` is."""
    parser = RequestParser(Request, STRETCHES, RunPlan(True, True, True))
    made: Request = parser.next(data, 0, None)
    assert parser.at == len(data)
    return made


def shape(request: Request):
    """All that the parser has found out."""
    return bytes(request.data), request.commands, request.key, request.keys()


def suffixed(key: bytes) -> bytes:
    return key + b"!"


B64 = base64.b64encode
COMMANDS = [
    (b"get k\r\n", b"get k!\r\n"),
    (b"get k j k\r\n", b"get k! j! k!\r\n"),
    (b"gets k\r\n", b"gets k!\r\n"),
    (b"gat 10 k j\r\n", b"gat 10 k! j!\r\n"),
    (b"gats -1 k\r\n", b"gats -1 k!\r\n"),
    (b"set k 1 2 3\r\nabc\r\n", b"set k! 1 2 3\r\nabc\r\n"),
    (b"cas k 1 2 3 99\r\nabc\r\n", b"cas k! 1 2 3 99\r\nabc\r\n"),
    (b"append k 0 0 2\r\n\r\n\r\n", b"append k! 0 0 2\r\n\r\n\r\n"),
    (b"delete k\r\n", b"delete k!\r\n"),
    (b"incr k 5\r\n", b"incr k! 5\r\n"),
    (b"touch k 5\r\n", b"touch k! 5\r\n"),
    (b"mg k v t k\r\n", b"mg k! v t k\r\n"),
    (b"mg " + B64(b"k") + b" b v\r\n", b"mg " + B64(b"k!") + b" b v\r\n"),
    (b"ms k 1 T5\r\nx\r\n", b"ms k! 1 T5\r\nx\r\n"),
    (b"ms " + B64(b"k") + b" 1 b\r\nx\r\n", b"ms " + B64(b"k!") + b" 1 b\r\nx\r\n"),
    (b"md k\r\n", b"md k!\r\n"),
    (b"ma k N0 D2\r\n", b"ma k! N0 D2\r\n"),
    (b"me k\r\n", b"me k!\r\n"),
]


@pytest.mark.parametrize(("data", "expected"), COMMANDS)
def test_other_keys(data, expected):
    request = parsed(data)
    request.started = 5.0
    changed = rekeyed(request, suffixed)
    assert shape(changed) == shape(parsed(expected))
    assert (changed.started, changed.client, changed.origin) == (5.0, None, request)
    assert shape(rekeyed(request, lambda key: key)) == shape(parsed(data))


def test_what_the_client_must_not_see_stays():
    request = parsed(b"mg k v q\r\n")
    assert request.rendering and rekeyed(request, suffixed).rendering == request.rendering


def test_a_large_store_is_just_its_line():
    request = parsed(b"set k 0 0 1\r\nx\r\n")
    request.data, request.large_value = b"set k 0 0 3000000\r\n", 3000002
    changed = rekeyed(request, suffixed)
    assert (changed.data, changed.large_value) == (b"set k! 0 0 3000000\r\n", 3000002)


REPLIES = [
    (b"get k\r\n", b"VALUE k! 0 1\r\nx\r\nEND\r\n", b"VALUE k 0 1\r\nx\r\nEND\r\n"),
    (b"get k\r\n", b"END\r\n", b"END\r\n"),
    (b"get k j k\r\n", b"VALUE k! 0 1\r\nx\r\nVALUE k! 0 1\r\nx\r\nEND\r\n", b"VALUE k 0 1\r\nx\r\nVALUE k 0 1\r\nx\r\nEND\r\n"),
    (b"gets k\r\n", b"VALUE k! 0 2 7\r\n\r\n\r\nEND\r\n", b"VALUE k 0 2 7\r\n\r\n\r\nEND\r\n"),
    (b"get k\r\n", b"SERVER_ERROR k!\r\n", b"SERVER_ERROR k!\r\n"),
    (b"set k 0 0 1\r\nx\r\n", b"STORED\r\n", b"STORED\r\n"),
    (b"mg k k v\r\n", b"VA 1 kk!\r\nk\r\n", b"VA 1 kk\r\nk\r\n"),
    (b"mg k t k s\r\n", b"HD t5 kk! s1\r\n", b"HD t5 kk s1\r\n"),
    (b"mg k v\r\n", b"VA 3\r\n kx\r\n", b"VA 3\r\n kx\r\n"),
    (b"mg k k\r\n", b"EN\r\n", b"EN\r\n"),
    (b"me k\r\n", b"ME k! exp=-1 la=2 cas=3\r\n", b"ME k exp=-1 la=2 cas=3\r\n"),
    (b"mg k k O1\r\n", b"HD k" + B64(b"k!") + b" b O1\r\n", b"HD kk O1\r\n"),  # of an item stored under a key in base64
]


@pytest.mark.parametrize(("data", "reply", "expected"), REPLIES)
def test_the_client_sees_its_own_keys(data, reply, expected):
    request = parsed(data)
    assert restored(reply, o.VALUE, request, rekeyed(request, suffixed)) == expected


def test_what_is_too_large_is_passed_on():
    request = parsed(b"get k\r\n")
    assert restored(TOO_LARGE, o.VALUE, request, rekeyed(request, suffixed)) is TOO_LARGE


HEADS = [
    (b"get k\r\n", b"VALUE k! 0 9000000\r\nx k! x", b"VALUE k 0 9000000\r\nx k! x"),
    (b"mg k v k\r\n", b"VA 9000000 kk!\r\nx kk!", b"VA 9000000 kk\r\nx kk!"),
    (b"mg k v\r\n", b"VA 9000000\r\nx kk!", b"VA 9000000\r\nx kk!"),
]


@pytest.mark.parametrize(("data", "head", "expected"), HEADS)
def test_the_beginning_of_a_large_reply(data, head, expected):
    request = parsed(data)
    assert restored_head(head, request, rekeyed(request, suffixed)) == expected


@pytest.mark.parametrize(
    ("data", "name"),
    [(b"get k\r\n", b"k"), (b"mg " + B64(b"a b") + b" b\r\n", b"a b"), (b"mg Yg== v\r\n", b"Yg==")],
)
def test_the_name_that_policies_go_by(data, name):
    assert routing_name(parsed(data)) == name


DELETIONS = [
    (b"k", b"delete k\r\n"),
    (b"\xff\xc3\xa4", b"delete \xff\xc3\xa4\r\n"),
    (b"a b", b"md YSBi b\r\n"),
    (b"\r\nflush_all\r\n", b"md DQpmbHVzaF9hbGwNCg== b\r\n"),
    (b"\x7f\t", b"delete \x7f\t\r\n"),
    (b"a\0b", b"md YQBi b\r\n"),
]


@pytest.mark.parametrize(("key", "line"), DELETIONS)
def test_the_line_that_deletes_a_key(key, line):
    assert deletion(key) == line


KEYS = st.binary(min_size=1, max_size=200).map(lambda data: bytes(33 + byte % 94 for byte in data))


@settings(max_examples=CASES, deadline=None)
@given(st.lists(KEYS, min_size=1, max_size=5), st.integers(0, 2**31), st.binary(max_size=300))
def test_there_and_back(keys, flags, value):
    request = parsed(b"get " + b" ".join(keys) + b"\r\n")
    changed = rekeyed(request, suffixed)
    assert shape(changed) == shape(parsed(bytes(changed.data)))
    blocks = [b"VALUE %b %d %d\r\n%b\r\n" % (key, flags, len(value), value) for key in changed.keys()]
    own = [b"VALUE %b %d %d\r\n%b\r\n" % (key, flags, len(value), value) for key in keys]
    assert restored(b"".join(blocks) + b"END\r\n", o.VALUE, request, changed) == b"".join(own) + b"END\r\n"
    assert [(one.key, one.flags, one.data, one.cas) for one in values(b"".join(own) + b"END\r\n")] == [
        (key, flags, value, None) for key in keys
    ]


def test_a_value_with_its_unique():
    found = values(b"VALUE k 5 2 77\r\nab\r\nVALUE j 0 0\r\n\r\nEND\r\n")
    assert [(one.key, one.flags, one.data, one.cas) for one in found] == [(b"k", 5, b"ab", 77), (b"j", 0, b"", None)]


def test_requests_of_our_own():
    origin = parsed(b"get k\r\n")
    made = {
        b"get k\r\n": get_of(origin, b"k"), b"gets k\r\n": gets_of(origin, b"k"), b"delete k\r\n": delete_of(origin, b"k"),
        b"touch k 5\r\n": touch_of(origin, b"k", 5), b"mg k t\r\n": ttl_of(origin, b"k"),
        b"add k 1 2 3\r\nabc\r\n": store_of(origin, "add", b"k", 1, 2, b"abc"),
        b"set k 1 2 3\r\nabc\r\n": store_of(origin, "set", b"k", 1, 2, b"abc"),
    }  # fmt: skip
    for data, request in made.items():
        assert shape(request) == shape(parsed(data)) and request.origin is origin


NOW, MONTH = 2_000_000_000.0, 30 * 24 * 3600
EXPTIMES = [
    (b"set k 0 7 1\r\nx\r\n", 7, b"set k 0 9 1\r\nx\r\n"),
    (b"cas k 0 0 1 5\r\nx\r\n", 0, b"cas k 0 9 1 5\r\nx\r\n"),
    (b"touch k 7\r\n", 7, b"touch k 9\r\n"),
    (b"gat 7 k j\r\n", 7, b"gat 9 k j\r\n"),
    (b"ms k 1\r\nx\r\n", 0, b"ms k 1 T9\r\nx\r\n"),
    (b"ms k 1 T7 F3\r\nx\r\n", 7, b"ms k 1 T9 F3\r\nx\r\n"),
    (b"mg k v T7\r\n", 7, b"mg k v T9\r\n"),
    (b"ma k T7\r\n", 7, b"ma k T9\r\n"),
    (b"mg k v\r\n", None, b"mg k v\r\n"),
    (b"mg T7 v\r\n", None, b"mg T7 v\r\n"),
    (b"ma T7\r\n", None, b"ma T7\r\n"),
    (b"get k\r\n", None, b"get k\r\n"),
    (b"incr k 7\r\n", None, b"incr k 7\r\n"),
    (b"delete k\r\n", None, b"delete k\r\n"),
]


@pytest.mark.parametrize(("data", "has", "changed"), EXPTIMES)
def test_expiry_times(data, has, changed):
    request = parsed(data)
    assert exptime(request) == has
    assert shape(with_exptime(request, 9)) == shape(parsed(changed))


@pytest.mark.parametrize(
    ("has", "expected"), [(0, 60), (59, 59), (61, 60), (-1, -1), (MONTH, 60), (int(NOW) + 59, int(NOW) + 59), (int(NOW) + 61, 60)]
)
def test_capped(has, expected):
    assert exptime(capped(parsed(b"set k 0 %d 1\r\nx\r\n" % has), 60, NOW)) == expected

"""Routes that change keys, and keys in base64: what counts is their length as sent, which is at most 250 bytes.

A host that is sent more refuses the line, and takes the data behind it for commands.
"""

import base64

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.proto.host.gate import refusal

from .script import Host, request
from .world import World

DATA = b"set smuggled 0 0 5\r\nEVIL!\r\n"
SPLIT = {"type": "KeySplitRoute", "destination": "PoolRoute|A", "replicas": 1000, "all_sync": True}
SHARDS = {"type": "ShardSplitRoute", "target": "PoolRoute|A", "shard_splits": {"1": 500}}
SUFFIX = {"type": "ModifyKeyRoute", "target": "PoolRoute|A", "set_key_suffix": "-v2"}
PREFIX = {"type": "ModifyKeyRoute", "target": "PoolRoute|A", "ensure_key_prefix": "app:"}
FLAGS = {"ms": b" %d b\r\n%b\r\n" % (len(DATA), DATA), "mg": b" v b k\r\n", "md": b" b\r\n", "ma": b" b\r\n", "me": b" b\r\n"}


def world(route, host_id=7):
    return World({"pools": {"A": {"servers": ["h:1"]}}, "route": route}, {"h:1": Host("h:1")}, host_id=host_id)


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize("route", [SPLIT, SHARDS, SUFFIX, PREFIX], ids=lambda route: route["type"])
def test_no_key_is_sent_that_is_too_long(route, name):
    """Of lengths that a client may send, all of those near the limit among them; and what is sent passes the gate."""
    for length in (*range(4, 170, 15), *range(170, 187)):
        key = (b"a:1:" + b"k" * 200)[:length]
        asked = world(route)
        reply, outcomes = asked.answer(name.encode() + b" " + base64.b64encode(key) + FLAGS[name])
        sent = asked.asked().get("h:1", [])
        assert sent or outcomes == o.LOCAL, reply
        for data in sent:
            assert refusal(request(data)) == b""
            assert len(data.split(b" ")[1]) <= 250


# a route, the length of the longest key that is changed, what it becomes
LONGEST = [(SPLIT, 181, b"::7"), (SHARDS, 184, None), (SUFFIX, 183, b"-v2")]


@pytest.mark.parametrize(("route", "length", "suffix"), LONGEST, ids=lambda value: str(value)[:20])
def test_the_longest_that_is_changed(route, length, suffix):
    for size in (length, length + 1):
        key = (b"a:1:" + b"k" * 200)[:size]
        changed = world(route)
        reply, _ = changed.answer(b"mg " + base64.b64encode(key) + b" b v\r\n")
        if size == length:
            named = base64.b64decode(changed.asked()["h:1"][0].split(b" ")[1])
            assert named == (key + suffix if suffix else b"a:1ga:" + key[4:])
        elif route is SUFFIX:
            assert reply == b"SERVER_ERROR ModifyKeyRoute: invalid key: too long\r\n"
        else:
            assert changed.asked()["h:1"] == [b"mg " + base64.b64encode(key) + b" b v\r\n"]


def test_the_client_sees_the_key_that_it_has_sent():
    """A host is never asked to repeat one."""
    asked = world(PREFIX)
    data = b"mg Zm9v O1 k b\r\n"
    asked.answer(data)
    assert asked.asked()["h:1"] == [b"mg YXBwOmZvbw== O1 b\r\n"]
    assert request(data).shown(b"HD O1\r\n", o.HEADER) == b"HD O1 kZm9v b\r\n"

"""The short cuts are taken: what is common is recognised at one look, and is what the general way gives."""

import pytest

from mcrouter.proto.client.parser import is_common, parse_single
from mcrouter.proto.commands import BY_NAME
from mcrouter.proto.host.reply_cutter import _alike
from mcrouter.proto.request import Request

from .feeding import parse

LONG = b"k" * 250
SINGLE = [
    b"get a\r\n", b"get %b\r\n" % LONG, b"set a 0 0 0\r\n\r\n", b"set a 12 -1 5\r\nv\r\nlu\r\n", b"set %b 1 2 300\r\n%b\r\n" % (LONG, b"v" * 300),
    b"get a b\r\n", b"get a %b a\r\n" % LONG, b"get " + b" ".join([b"key"] * 90) + b"\r\n",
]  # fmt: skip
OTHERWISE = [
    b"", b"get\r\n", b"get a\n", b"get a", b"get  a\r\n", b"get a \r\n", b"get a  b\r\n", b"get a b \r\n", b"get a\r\nget b\r\n", b"get %bk\r\n" % LONG, b"gets a\r\n",
    b"get a %bk\r\n" % LONG, b"set a 0 0 1\r\nxy\r\n", b"set a 0 0 3\r\nx\r\n", b"set a 0 0 1\r\nx\r\nget b\r\n", b"set a 0 0 1\r\nx\n\n",
    b"set a 0 0 1 noreply\r\nx\r\n", b"set a 0 0 -1\r\n\r\n", b"delete a\r\n",
]  # fmt: skip


@pytest.mark.parametrize("data", SINGLE)
def test_a_single_command_is_recognised(data):
    request = parse_single(data, None, Request)
    [expected], rest = parse([data])
    assert (request.data, rest) == (data, b"")
    assert [(BY_NAME[expected.name].number, expected.data)] == [(request.commands[0], request.data)]
    assert request.keys() == (data.split(b"\r\n")[0].split(b" ")[1:] if data[:1] == b"g" else data.split(b" ")[1:2])


@pytest.mark.parametrize("data", OTHERWISE)
def test_nothing_else_is(data):
    assert parse_single(data, None, Request) is None


COMMON = {
    "get": [b"get a\r\n", b"get %b\r\n" % LONG],
    "gets": [b"gets a\r\n"],
    "set": [b"set a 0 0 0\r\n\r\n", b"set a 12 -1 5\r\nv\r\nlu\r\n"],
    "add": [b"add a 0 0 1\r\nx\r\n"],
    "delete": [b"delete a\r\n"],
    "incr": [b"incr a 1\r\n"],
    "touch": [b"touch a 10\r\n"],
}


@pytest.mark.parametrize("name", COMMON)
def test_the_forms_that_the_patterns_take(name):
    for data in COMMON[name]:
        for other in COMMON:
            assert is_common(data, BY_NAME[other].number) == (other == name), (data, other)
        for wrong in (data[:-1], data + b"x", data[:-2] + b"\n\n", b""):
            assert not is_common(wrong, BY_NAME[name].number), wrong


def block(key, value=b"value", flags=b"0"):
    """A VALUE block."""
    return b"VALUE %b %b %d\r\n%b\r\n" % (key, flags, len(value), value)


A, B, C = block(b"a"), block(b"b"), block(b"c")
ALIKE = [
    ([b"a", b"b"], A + B, 2), ([b"a", b"b", b"c"], A + B + C, 3), ([b"a", b"b", b"c"], A + C, 0), ([b"a", b"b", b"c"], A + B, 2),
    ([b"a"], A, 0), ([b"a", b"b"], A, 0), ([b"a", b"b"], A + block(b"b", b"other size"), 0), ([b"a", b"b"], A + block(b"b", flags=b"1"), 0),
    ([b"a", b"b", b"c"], A + B + block(b"c", b"v"), 2), ([b"a", b"b"], A + B[:-1], 1), ([b"a", b"b"], b"END\r\n", 0),
    ([b"a", b"a"], A + A, 2), ([b"a", b"b", b"c"], A + B + C[:-2], 2),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "data", "count"), ALIKE)
@pytest.mark.parametrize("before", [b"", b"STORED\r\n"])
def test_values_of_one_size_are_taken_together(keys, data, count, before):
    found, end = _alike(before + data + b"END\r\n", len(before), keys)
    assert (found, end - len(before)) == (count, sum(map(len, [A, B, C][:count])))

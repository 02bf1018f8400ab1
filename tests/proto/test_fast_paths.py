"""The short cuts are taken: what is common is recognised at one look, and is what the general way gives."""

import pytest

from mcrouter.proto.client.parser import is_common, parse_single
from mcrouter.proto.commands import BY_NAME
from mcrouter.proto.host import reply_cutter
from mcrouter.proto.host.reply_cutter import _alike
from mcrouter.proto.request import Request

from .feeding import cut, parse, request

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


@pytest.fixture
def looks(monkeypatch):
    """How often the cutter looks for one header, and for many at once."""
    counts = {"value_header": 0, "_hits": 0, "_alike": 0}

    def count(name):
        look = getattr(reply_cutter, name)

        def counted(*args):
            counts[name] += 1
            return look(*args)

        monkeypatch.setattr(reply_cutter, name, counted)

    for name in counts:
        count(name)
    return counts


def keys(count):
    """Names of one length."""
    return [b"k%02d" % number for number in range(count)]


def test_values_of_many_sizes_are_looked_for_at_once(looks):
    blocks = [block(key, b"v" * place) for place, key in enumerate(keys(60))]
    [reply] = cut([request(b"get %b\r\n" % b" ".join(keys(60)))], [b"".join(blocks) + b"END\r\n"])
    assert (reply.values, reply.misses) == (60, 0)
    assert looks == {"value_header": 2, "_hits": 1, "_alike": 1}  # the last one by itself


def test_values_of_one_size_are_looked_for_by_their_places(looks):
    blocks = [block(key) for key in keys(60)]
    [reply] = cut([request(b"get %b\r\n" % b" ".join(keys(60)))], [b"".join(blocks) + b"END\r\n"])
    assert (reply.values, reply.misses) == (60, 0)
    assert looks == {"value_header": 1, "_hits": 0, "_alike": 1}


def test_a_value_of_another_size_among_many_is_looked_for_with_those_behind_it(looks):
    blocks = [block(key, b"v" * (5 + (key == b"k30"))) for key in keys(60)]
    [reply] = cut([request(b"get %b\r\n" % b" ".join(keys(60)))], [b"".join(blocks) + b"END\r\n"])
    assert (reply.values, reply.misses) == (60, 0)
    assert looks == {"value_header": 2, "_hits": 1, "_alike": 1}  # the last one by itself


@pytest.mark.parametrize("size", [lambda place: 7, lambda place: place], ids=["one size", "many sizes"])
def test_a_run_of_gets_is_cut_in_few_looks(looks, size):
    run = request(b"".join(b"get %b\r\n" % key for key in keys(40)))
    assert len(run.commands) == 40
    replies = b"".join(block(key, b"v" * size(place)) + b"END\r\n" for place, key in enumerate(keys(40)))
    [reply] = cut([run], [replies])
    assert (reply.values, reply.misses) == (40, 0)
    assert looks["value_header"] + looks["_hits"] <= 4

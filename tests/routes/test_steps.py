"""What routes that ask in steps make of an answer: whether it is a hit, the value in it, the exptime in it."""

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.proto.reply import TOO_LARGE
from mcrouter.routes.framework.steps import is_hit, ttl_in, value_of

from .script import hit

HITS = [o.VALUE, o.HEADER, o.NUMBER, o.DELETED, o.TOUCHED]
OTHERS = [o.STORED, o.OK, o.TEXT, o.MISS, o.NOT_FOUND, o.NOT_STORED, o.EXISTS, o.PARTIAL, o.ERROR, o.CLIENT_ERROR, o.SERVER_ERROR,
          o.TIMEOUT, o.LOST, o.UNAVAILABLE, o.TKO, o.LOCAL, o.LEFT_OUT]  # fmt: skip


def test_what_is_a_hit():
    assert [is_hit(code) for code in HITS] == [True] * len(HITS)
    assert [is_hit(code) for code in OTHERS] == [False] * len(OTHERS)


TTLS = [
    (b"HD t77\r\n", 77),
    (b"HD t0\r\n", 0),
    (b"HD t-1\r\n", 0),
    (b"HD s5 t9 Oab\r\n", 9),
    (b"HD t9 t8\r\n", 9),
    (b"HD t\r\n", None),
    (b"HD tx\r\n", None),
    (b"HD t1x\r\n", None),
    (b"HD \r\n", None),
    (b"HD s5\r\n", None),
    (b"HD\r\n", None),
    (b"EN\r\n", None),
    (b"VA 1 t5\r\nx\r\n", None),
    (b"SERVER_ERROR t5\r\n", None),
    (TOO_LARGE, None),
    ([b"HD t5\r\n"], None),
    (object(), None),
]


@pytest.mark.parametrize(("reply", "expected"), TTLS)
def test_the_exptime_in_an_answer(reply, expected):
    assert ttl_in(reply) == expected


@pytest.mark.parametrize("reply", [b"END\r\n", b"SERVER_ERROR x\r\n", TOO_LARGE, object(), [b"END\r\n"]])
def test_there_is_no_value(reply):
    assert value_of(reply) is None


def test_the_value_in_an_answer():
    value = value_of(hit(b"k", b"xyz")[0])
    assert (value.key, value.flags, value.data) == (b"k", 0, b"xyz")
    assert value_of(b"VALUE a 5 1\r\nx\r\nVALUE b 6 1\r\ny\r\nEND\r\n").flags == 5

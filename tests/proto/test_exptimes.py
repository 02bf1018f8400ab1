"""Expiry times: what is none, and what a longer line becomes."""

import pytest

from mcrouter.proto.exptimes import capped, exptime, with_exptime
from mcrouter.proto.host.gate import CLOSED, refusal

from .feeding import request


@pytest.mark.parametrize(("data", "expected"), [
    (b"mg k Tabc\r\n", None), (b"mg k T\r\n", None), (b"mg k T5x\r\n", None), (b"md k Tx\r\n", None), (b"ma k T9223372036854775808\r\n", None),
    (b"mg k T+5\r\n", 5), (b"mg k T\t05\tx\r\n", 5), (b"mg k T-1\r\n", -1), (b"mg k T4294967297\r\n", 1), (b"ms k 1 T007\r\nx\r\n", 7),
    (b"ms k 1\r\nx\r\n", 0), (b"mg k\r\n", None), (b"set k 0 5 1\r\nx\r\n", 5), (b"touch k 5\r\n", 5), (b"gat 5 k\r\n", 5), (b"get k\r\n", None),
])  # fmt: skip
def test_exptime(data, expected):
    assert exptime(request(data)) == expected


@pytest.mark.parametrize("data", [b"mg k Tabc\r\n", b"mg k T\r\n", b"mg k Tx v\r\n", b"get k\r\n", b"mn\r\n"])
def test_one_without_a_time_stays(data):
    made = request(data)
    assert with_exptime(made, 60) is made and capped(made, 60, 0.0) is made


@pytest.mark.parametrize("data", [
    b"ms k 1%b\r\nx\r\n" % b"".join(b" " + bytes([letter]) for letter in b"cfhIklstuvLPO") + b"",
    b"ms k 1 P" + b"x" * 2036 + b"\r\nx\r\n",
])  # fmt: skip
def test_a_line_that_has_no_room_for_it(data):
    """It is made, and the gate sees to it."""
    made = with_exptime(request(data), 60)
    tokens = len(bytes(made.data).split(b"\r\n")[0].split(b" "))
    assert b" T60\r\n" in made.data
    assert (refusal(made) == CLOSED) is (tokens > 19 or len(data) > 2000)


def test_nineteen_words_and_one_more():
    full = b"ms k 1 c f h I k l s t u v L P O N1 D1 J1\r\nx\r\n"
    assert len(full.split(b"\r\n")[0].split(b" ")) == 19
    assert refusal(request(full)) == b"" and refusal(with_exptime(request(full), 60)) == CLOSED

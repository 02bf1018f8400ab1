"""A client's stream, whatever the order in which it is read, taken from, told to wait and unpinned: nothing is lost."""

from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcrouter.proto.client import stream as module
from mcrouter.proto.client.stream import ClientPlace, ClientStream
from mcrouter.proto.request import Request

from .feeding import PLANS, WARM_REQUESTS, _Counting

COMMANDS = st.one_of(
    st.sampled_from([b"get a\r\n", b"get " + b"k" * 90 + b"\r\n", b"delete b\r\n", b"get a b c\r\n"]),
    st.integers(0, 200).map(lambda size: b"set key 0 0 %d\r\n%b\r\n" % (size, b"v" * size)),
)


def new_stream(plan=PLANS[0]):
    return ClientStream(_Counting(Request, WARM_REQUESTS, plan))


@settings(max_examples=300)
@given(commands=st.lists(COMMANDS, min_size=1, max_size=8), data=st.data(), large=st.sampled_from([30, 16384]),
       plan=st.sampled_from(PLANS))  # fmt: skip
def test_what_is_not_given_out_is_kept(commands, data, large, plan):
    wire, stream, fed, taken = b"".join(commands), new_stream(plan), 0, b""
    with patch.object(module, "_LARGE", large):
        while fed < len(wire):
            size = data.draw(st.integers(1, len(wire) - fed))
            stream.receive(wire[fed : fed + size])
            fed += size
            for _ in range(data.draw(st.integers(0, 9))):
                request = stream.next(None, 64)
                if request is None:
                    break
                taken += request.data
                if data.draw(st.integers(0, 9)) == 0:
                    stream.put_back()
                    taken = taken[: -len(request.data)]
            else:
                stream.wait()
                if data.draw(st.booleans()):
                    stream.unpin()
                assert (stream.place is ClientPlace.WAITING) == (stream.rest() != b"" and not stream._kept)
            if data.draw(st.booleans()):
                stream.unpin()
            assert taken + stream.rest() == wire[:fed]
            assert stream.size() == len(stream.rest())
        while (request := stream.next(None, 64)) is not None:
            taken += request.data
    assert taken == wire
    assert stream.place is ClientPlace.BOUNDARY
    assert stream.rest() == b""


def test_a_read_that_ends_a_request_is_kept_with_what_follows():
    stream = new_stream()
    for part in (b"set a 0 0 5\r\nva", b"lue\r\nget b\r\nget c\r\n"):
        stream.receive(part)
        request = stream.next(None, 64)
    assert request.data == b"set a 0 0 5\r\nvalue\r\n"
    stream.wait()
    assert stream.place is ClientPlace.WAITING
    assert stream.rest() == b"get b\r\nget c\r\n"
    assert stream.take_rest() == b"get b\r\nget c\r\n"
    assert (stream.rest(), stream.size(), stream.place) == (b"", 0, ClientPlace.BOUNDARY)


def test_a_large_read_is_freed_by_unpinning():
    stream = new_stream()
    whole = b"get a\r\nset a 0 0 50000\r\n" + b"x" * 20000
    stream.receive(whole)
    assert stream.next(None, 64).data == b"get a\r\n"
    assert stream.next(None, 64) is None
    assert type(stream._kept[0]) is memoryview
    stream.receive(b"y" * 100)
    assert stream.next(None, 64) is None
    stream.unpin()
    assert type(stream._kept[0]) is bytes
    assert stream.rest() == whole[7:] + b"y" * 100


@pytest.mark.parametrize("place", [b"", b"set a 0 0 50000\r\n" + b"x" * 100])
def test_unpinning_what_is_small_changes_nothing(place):
    stream = new_stream()
    stream.receive(b"get a\r\n" + place)
    stream.next(None, 64)
    assert stream.next(None, 64) is None
    stream.unpin()
    assert stream.rest() == place

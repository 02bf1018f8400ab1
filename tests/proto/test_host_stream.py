"""A host's stream, cut at every place: the same replies, and no quick way but at a reply boundary."""

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.proto.host import reply_cutter
from mcrouter.proto.host.stream import HostStream, Place
from mcrouter.proto.replies import ProtocolError
from mcrouter.proto.reply import TOO_LARGE
from mcrouter.proto.runs import reply_patterns

from .feeding import WARM_REPLIES, bytewise, cut, request, split

END, STORED = b"END\r\n", b"STORED\r\n"


def value(key, data):
    return b"VALUE %b 0 %d\r\n%b\r\n" % (key, len(data), data)


LOOKS_LIKE_REPLIES = END * 3 + STORED + value(b"other", b"x") + END
EXCHANGES = {  # pairs of what is asked and what is answered, in order
    "a hit": [(b"get a\r\n", value(b"a", b"secret") + END)],
    "a hit, then others": [(b"get a\r\n", value(b"a", b"secret") + END), (b"delete b\r\n", b"DELETED\r\n"), (b"get c\r\n", END)],
    "equal values": [(b"get k%d\r\n" % n, value(b"k%d" % n, b"v" * 10) + END) for n in range(5)],
    "gets and sets": [(b"get a\r\n", END), (b"set a 0 0 1\r\nx\r\n", STORED), (b"get a\r\n", value(b"a", b"x") + END)],
    "a value that looks like replies": [(b"get a\r\n", value(b"a", LOOKS_LIKE_REPLIES) + END), (b"get b\r\n", value(b"b", b"y") + END)],
    "many keys": [(b"get a b c\r\n", value(b"a", b"1") + value(b"c", END) + END), (b"get b\r\n", END)],
    "a run": [(b"get a\r\nset b 0 0 1\r\nx\r\nget c\r\n", value(b"a", b"1") + END + STORED + END), (b"mn\r\n", b"MN\r\n")],
    "meta": [(b"mg a v k O7\r\n", b"VA 5 ka O7\r\nEND\r\n\r\n"), (b"mg a\r\n", b"EN\r\n"), (b"ms b 1 O8\r\nx\r\n", b"HD O8\r\n")],
    "errors": [(b"get a\r\n", b"SERVER_ERROR\r\n"), (b"incr a 1\r\n", b"CLIENT_ERROR\r\n"), (b"touch a 0\r\n", b"ERROR\r\n")],
}  # fmt: skip
NAMES = pytest.mark.parametrize("name", EXCHANGES)


@pytest.fixture(params=[reply_cutter._PASSING, 4], ids=["", "small values pass"])
def passing(request, monkeypatch):
    """Values of more than 4 bytes are verified as they come, as large ones are."""
    monkeypatch.setattr(reply_cutter, "_PASSING", request.param)


def exchange(name):
    """(the requests, all that is answered, each reply)."""
    pairs = EXCHANGES[name]
    return [request(asked) for asked, _ in pairs], b"".join(reply for _, reply in pairs), [reply for _, reply in pairs]


@NAMES
def test_cut_at_every_place(name, passing):
    requests, data, replies = exchange(name)
    ways = [[data], bytewise(data), *(split(data, [at]) for at in range(1, len(data)))]
    ways += [split(data, [at, at + width]) for at in range(len(data)) for width in (1, 2, 5, 7)]
    for pieces in ways:
        assert [reply.data for reply in cut(requests, pieces)] == replies, pieces


@NAMES
def test_the_quick_way_is_open_at_a_reply_boundary_and_nowhere_else(name, passing):
    """The worst fault that this project had: a value whose END came later was answered as a miss, and then given to
    the next client. The quick way took the END for a reply of its own."""
    requests, data, replies = exchange(name)
    ends = {sum(map(len, replies[:count])) for count in range(len(replies) + 1)}
    for at in range(len(data)):
        stream, due = HostStream(WARM_REPLIES), list(requests)
        stream.receive(data[:at])
        while stream.more and stream.next(due[0]) is not None:
            due.pop(0)
        assert (stream.place is Place.BOUNDARY) is (at in ends)
        assert at in ends or stream.singles is None


def test_the_quick_way_gives_what_it_is_sure_of():
    stream, data = HostStream(WARM_REPLIES), END + STORED + b"NOT_STORED\r\n" + b"VALUE a 0 1\r\nx\r\nEND\r\n"
    assert list(stream.singles(data)) == [(END, b""), (STORED, b""), (b"NOT_STORED\r\n", b""), (b"", b"")]
    stream.stop_singles()
    assert stream.singles is None


@pytest.mark.parametrize(("asked", "reply"), [(b"get a\r\n", value(b"a", b"x" * 9)[:-2] + b"\rZEND\r\n"), (b"mg a v\r\n", b"VA 9\r\nxxxxxxxxx\rZ"),
                                              (b"get a\r\n", value(b"a", b"x" * 9)[:-2] + b"Z\nEND\r\n"), (b"mg a v\r\n", b"VA 9\r\nxxxxxxxxxZ\n")])  # fmt: skip
def test_the_end_of_a_value_is_looked_at_wherever_it_is_cut(asked, reply, passing):
    for pieces in ([reply], bytewise(reply), *(split(reply, [at]) for at in range(1, len(reply)))):
        with pytest.raises(ProtocolError):
            cut([request(asked)], pieces)


def test_a_broken_stream_gives_nothing_any_more():
    stream = HostStream(WARM_REPLIES)
    stream.receive(b"STORED\r\n")
    with pytest.raises(ProtocolError):
        stream.next(request(b"get a\r\n"))
    assert stream.place is Place.BROKEN
    assert stream.singles is None


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_a_reply_that_is_skipped_passes_and_the_next_is_given(size, monkeypatch):
    monkeypatch.setattr(reply_cutter, "_PASSING", 16)
    stream, requests = HostStream(WARM_REPLIES), [request(b"get a\r\n"), request(b"get b\r\n")]
    data, given, skipped = value(b"a", LOOKS_LIKE_REPLIES) + END + value(b"b", b"y") + END, [], []
    for at in range(0, len(data), size):
        stream.receive(data[at : at + size])
        while stream.more:
            reply = stream.next(requests[len(given)])
            if reply is None:
                if stream.known_size() > 40:
                    stream.skip()
                    skipped.append(at)
                break
            given.append(reply)
            assert stream.outcomes == o.VALUE
    assert len(skipped) == (1 if size < len(data) else 0)
    assert given == [TOO_LARGE if skipped else value(b"a", LOOKS_LIKE_REPLIES) + END, value(b"b", b"y") + END]


LARGE = {
    "get": (b"get a\r\n", value(b"a", LOOKS_LIKE_REPLIES) + END),
    "mg": (b"mg a v k O1\r\n", b"VA %d ka O1\r\n%b\r\n" % (len(LOOKS_LIKE_REPLIES), LOOKS_LIKE_REPLIES)),
}


def pass_on(asked, pieces):
    """All that a reply with a large value is given out as, and where the stream is then."""
    stream, due, out = HostStream(WARM_REPLIES), request(asked), []
    for data in pieces:
        stream.receive(data)
        if stream.place is Place.PASSING:
            out.append(stream.piece())
            continue
        head = stream.value_begins(due, lambda size: size > 20)
        if head:
            out.append(head)
        elif stream.more:
            out.append(stream.next(due) or b"")
    return b"".join([*out, stream.tail]), stream.place


@pytest.mark.parametrize("name", LARGE)
def test_a_large_value_is_given_out_as_it_comes(name):
    asked, reply = LARGE[name]
    for pieces in [bytewise(reply), *(split(reply, [at]) for at in range(1, len(reply)))]:
        assert pass_on(asked, pieces) == (reply, Place.BOUNDARY)


def test_a_large_value_that_does_not_end_where_its_length_says():
    with pytest.raises(ProtocolError):
        pass_on(b"get a\r\n", [value(b"a", b"x" * 50) + b"EN", b"X\r\n"])


NAMING = [  # (what is asked, what is answered): another key, opaque or family
    (b"get a\r\n", value(b"b", b"x") + END), (b"get a b\r\n", value(b"b", b"1") + value(b"a", b"2") + END),
    (b"gat 0 a\r\n", value(b"b", b"x") + END), (b"get a\r\n", b"EN\r\n"), (b"get a\r\n", b"HD\r\n"),
    (b"set a 0 0 1\r\nx\r\n", b"HD\r\n"), (b"set a 0 0 1\r\nx\r\n", b"NS\r\n"), (b"delete a\r\n", b"NF\r\n"),
    (b"delete a\r\n", b"STORED\r\n"), (b"touch a 0\r\n", b"DELETED\r\n"), (b"incr a 1\r\n", b"NF\r\n"),
    (b"cas a 0 0 1 1\r\nx\r\n", b"EX\r\n"), (b"ms a 1\r\nx\r\n", b"STORED\r\n"), (b"ms a 1\r\nx\r\n", b"NOT_STORED\r\n"),
    (b"md a\r\n", b"DELETED\r\n"), (b"md a\r\n", b"NOT_FOUND\r\n"), (b"ma a\r\n", b"5\r\n"), (b"mg a\r\n", b"END\r\n"),
    (b"mg a k\r\n", b"HD kb\r\n"), (b"mg a k\r\n", b"EN kb\r\n"), (b"mg a O1\r\n", b"HD O2\r\n"), (b"mg a\r\n", b"HD O2\r\n"),
    (b"mg a v\r\n", b"HD\r\n"), (b"mg a\r\n", b"VA 1\r\nx\r\n"), (b"mg a k O1\r\n", b"HD ka\r\n"), (b"mg a v O1\r\n", b"VA 1\r\nx\r\n"),
    (b"mg a k\r\n", b"HD kYQ==\r\n"), (b"mg a k\r\n", b"HD kYg== b\r\n"),
    (b"mg a k O1 v\r\n", b"VA 1 \0#ka O1\r\nx\r\n"), (b"mg a s\r\n", b"VA 1 s1\r\nx\r\n"), (b"ms a 1 O1\r\nx\r\n", b"HD\r\n"), (b"ma a v\r\n", b"HD\r\n"),
    (b"mg a v k\r\n", b"VA 1 kb\r\nx\r\n"), (b"mg a v O1\r\n", b"VA 1 O11\r\nx\r\n"), (b"mg a k\r\n", b"HD ka b\r\n"),
    (b"ms a 1 k\r\nx\r\n", b"HD kb\r\n"), (b"ms a 1 O1\r\nx\r\n", b"NS O2\r\n"), (b"md a k\r\n", b"NF kb\r\n"),
    (b"ma a O1\r\n", b"NF O\r\n"), (b"me a\r\n", b"ME b exp=-1\r\n"), (b"me a\r\n", b"ME\r\n"), (b"me a\r\n", b"END\r\n"),
    (b"mn\r\n", b"HD\r\n"), (b"version\r\n", b"VERSION\r\n"), (b"flush_all\r\n", b"RESET\r\n"), (b"stats\r\n", b"STORED\r\n"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "reply"), NAMING)
def test_a_reply_that_names_something_else_breaks_the_stream(asked, reply):
    for pieces in ([reply], bytewise(reply)):
        with pytest.raises(ProtocolError):
            cut([request(asked)], pieces)


@pytest.mark.parametrize(("asked", "reply"), [
    (b"mg a k O1 v\r\n", b"VA 1 ka O1\r\nx\r\n"), (b"mg a k O1\r\n", b"EN ka O1\r\n"), (b"mg a t f s\r\n", b"HD t-1 f0 s3 W\r\n"),
    (b"me a\r\n", b"ME a exp=-1 la=0\r\n"), (b"me Zm9v b\r\n", b"ME foo exp=-1\r\n"), (b"me Zm9v b\r\n", b"ME Zm9v exp=-1\r\n"),
    (b"mg a k v O1\r\n", b"VA 1 kYQ== b O1\r\nx\r\n"), (b"me a\r\n", b"ME YQ== exp=-1\r\n"), (b"md a k\r\n", b"NF kYQ== b\r\n"),
    (b"md a O1 k\r\n", b"NF O1 ka\r\n"), (b"md a O1 k\r\n", b"NF\r\n"), (b"mg a v k\r\n", b"EN\r\n"), (b"ms a 1 k\r\nx\r\n", b"NS\r\n"), (b"ma n t c v\r\n", b"VA 1 t-1 c6\r\n5\r\n"),
])  # fmt: skip
def test_a_reply_that_names_what_was_asked(asked, reply):
    assert [made.data for made in cut([request(asked)], [reply])] == [reply]


def hit(key, size):
    return value(key, b"v" * size) + END


def comes(stream, *replies):
    """These replies to gets of k come, one by one."""
    for reply in replies:
        stream.receive(reply)
        assert stream.next(request(b"get k\r\n")) == reply


def test_the_quick_way_takes_values_once_their_size_has_come_twice_in_a_row():
    stream = HostStream(WARM_REPLIES)
    for size in (5, 9, 5):
        comes(stream, hit(b"k", size))
        comes(stream, hit(b"k", size))
        quick = [hit(b"a", size), hit(b"b", size), STORED, END, hit(b"c", size)]
        found = list(stream.singles(b"".join(quick) + hit(b"d", size + 1)))
        assert found[: len(quick)] == [(reply, reply[6:7] if reply.startswith(b"VALUE") else b"") for reply in quick]
        assert found[len(quick) :] == [(b"", b"")]
        comes(stream, hit(b"k", size + 1))
        assert stream.singles is None


def test_the_quick_way_takes_no_values_of_a_size_that_is_rare():
    stream = HostStream(reply_patterns())
    for _ in range(5):
        comes(stream, hit(b"k", 5))
        assert stream.singles is None or list(stream.singles(hit(b"a", 5))) == [(b"", b"")]


def test_what_comes_next_is_shown_in_sixty_bytes():
    stream = HostStream(WARM_REPLIES)
    stream.receive(b"x" + b"0123456789" * 10, 1)
    assert stream.ahead() == b"0123456789" * 6


@pytest.mark.parametrize(("size", "passes"), [(50, False), (30_000, True)])
def test_a_value_passes_by_its_own_size_wherever_it_begins(size, passes):
    stream = HostStream(WARM_REPLIES)
    whole = b"VALUE a 0 20000\r\n%b\r\nEND\r\n" % (b"v" * 20_000)
    stream.receive(whole + b"VALUE b 0 %d\r\nxx" % size)
    assert stream.next(request(b"get a\r\n")) == whole
    assert stream.next(request(b"get b\r\n")) is None
    assert (stream._cutter.left > 0) == passes
    stream.receive(b"x" * (size - 2) + b"\r\nEND\r\n")
    assert stream.next(request(b"get b\r\n")) == b"VALUE b 0 %d\r\n%b\r\nEND\r\n" % (size, b"x" * size)

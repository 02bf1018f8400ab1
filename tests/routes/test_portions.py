"""What is divided is put together again as if it had been whole."""

from hypothesis import given
from hypothesis import strategies as st

from mcrouter.proto import outcomes as o
from mcrouter.proto.reply import TOO_LARGE
from mcrouter.routes.framework.portions import commands, divide, portion, size
from mcrouter.routes.host import HostRoute

from .script import Host, Sink, ask, request

SIZES = [
    (b"get a\r\n", 1), (b"get a b a\r\n", 3), (b"gat 5 a b\r\n", 2), (b"set a 0 0 1\r\nx\r\n", 1), (b"mg a v\r\n", 1),
    (b"get a\r\nset a 0 0 1\r\nx\r\nget b\r\n", 3), (b"delete a\r\n", 1),
]  # fmt: skip
VALUES = {b"a": b"1", b"b": b"get b\r\n", b"c": b""}
COMMANDS = st.sampled_from([b"get a\r\n", b"get b\r\n", b"get c\r\n", b"get d\r\n", b"set a 0 0 1\r\nx\r\n"])
RUNS = st.lists(COMMANDS, min_size=2, max_size=12).map(b"".join)
KEYS = st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), min_size=2, max_size=9)
GETS = KEYS.map(lambda keys: b"get " + b" ".join(keys) + b"\r\n") | KEYS.map(
    lambda keys: b"gat 5 " + b" ".join(keys) + b"\r\n"
)


def test_sizes():
    for data, expected in SIZES:
        assert (size(request(data)), len(commands(request(data)))) == (expected, expected)


@given(RUNS | GETS, st.randoms(use_true_random=False))
def test_divided_it_is_answered_as_the_whole(data, chance):
    whole = request(data)
    hosts = [Host(name, VALUES) for name in "xyz"]
    places = [[], [], []]
    for place in range(size(whole)):
        chance.choice(places).append(place)
    sink = Sink()
    divide(whole, sink, list(zip(map(HostRoute, hosts), places)))
    assert sink.got == ask(HostRoute(Host("w", VALUES)), data).got
    for host, its in zip(hosts, places):
        assert sum(size(request(asked)) for asked in host.asked) == len(its)


def test_a_portion_is_a_request_like_any_other():
    run = request(b"get a\r\nset b 0 0 1\r\nx\r\nget c\r\n")
    for places in ([0], [1], [2], [0, 1], [1, 2], [0, 2]):
        made = portion(run, places)
        like = request(made.data)
        assert (made.commands, made.expected, made.key) == (like.commands, like.expected, like.key)
        assert made.names() == like.names() == [run.names()[place] for place in places]


def test_of_what_is_too_large_no_portion_is_given():
    for data, outcomes in ((b"get a\r\nget b\r\n", o.VALUE * 2), (b"get a b\r\n", o.VALUE)):
        large, small, sink = Host("x", says={b"get a\r\n": (TOO_LARGE, o.VALUE)}, holds=True), Host("y", VALUES), Sink()
        divide(request(data), sink, [(HostRoute(large), [0]), (HostRoute(small), [1])])
        _large, its_sink = large._pending.pop()
        its_sink.on_reply(TOO_LARGE, o.VALUE)
        assert sink.got[0] is TOO_LARGE
        assert sink.got[1] == outcomes

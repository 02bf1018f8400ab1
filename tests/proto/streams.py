"""Streams of commands, drawn by hypothesis: valid, nearly valid, garbage; and well-formed runs."""

from hypothesis import strategies as st

KEYS = st.sampled_from([b"a", b"b", b"get", b"set", b"END", b"STORED", b"NOT_STORED", b"VALUE", b"noreply", b"k" * 250])
ODD_KEYS = st.one_of(KEYS, st.sampled_from([b"\x01", b"a\tb", b"a\rb", b"\x7f", b"\xff", b"k" * 251]))
TEXTS = st.sampled_from([b"END\r\n", b"VALUE a 0 1\r\nx\r\nEND\r\n", b"STORED\r\n", b"get a\r\n", b"set a 0 0 1\r\nx\r\n", b"\r", b"\n", b"x"])
DATA = st.one_of(TEXTS, st.binary(max_size=12), st.lists(TEXTS, max_size=3).map(b"".join), st.just(b"v" * 100))
NUMBERS = st.sampled_from(
    [b"0", b"1", b"3", b"-1", b"+2", b"007", b"x", b"1x", b"4294967296", b"18446744073709551615", b"99999999999999999999", b"\t1"]
)
SIZES = st.sampled_from([b"0", b"1", b"3", b"-1", b"+2", b"007", b"x", b"1x", b"\t1", b"2147483646", b"4294967297"])
ENDS = st.sampled_from([b"\r\n"] * 6 + [b"\n", b"\r\r\n", b" \r\n", b"\0\r\n", b"\r", b""])
TAILS = st.sampled_from([b""] * 4 + [b" noreply", b" noreply ", b" foo", b" q", b" v k q"])
VERBS = st.sampled_from(
    [b"get", b"gets", b"gat", b"gats", b"set", b"add", b"cas", b"append", b"delete", b"incr", b"decr", b"touch", b"mg", b"ms", b"md",
     b"ma", b"mn", b"me", b"flush_all", b"version", b"verbosity", b"stats", b"shutdown", b"bget", b"GET", b"x", b""]
)  # fmt: skip


@st.composite
def plain_gets(draw):
    """`get key`."""
    return b"get %b\r\n" % draw(KEYS)


@st.composite
def plain_sets(draw):
    """A set as clients send it."""
    data = draw(DATA)
    return b"set %b %d %d %d\r\n%b\r\n" % (draw(KEYS), draw(st.integers(0, 5)), draw(st.integers(-1, 5)), len(data), data)


@st.composite
def stores(draw):
    """A store with something odd about it, or not."""
    data = draw(DATA)
    size = draw(st.one_of(st.just(b"%d" % len(data)), st.just(b"%d" % len(data)), SIZES))
    words = [draw(st.sampled_from([b"set", b"set", b"add", b"cas", b"ms"])), draw(ODD_KEYS), draw(NUMBERS), draw(NUMBERS), size]
    if words[0] == b"cas":
        words.append(draw(NUMBERS))
    if words[0] == b"ms":
        words[2:] = [size]
    return b" ".join(words) + draw(TAILS) + draw(ENDS) + data + draw(ENDS)


@st.composite
def lines(draw):
    """A verb and words that may suit it."""
    words = draw(st.lists(st.one_of(ODD_KEYS, NUMBERS), max_size=4))
    return draw(st.sampled_from([b" ", b"  "])).join([draw(VERBS), *words]) + draw(TAILS) + draw(ENDS)


PLAIN = st.one_of(plain_gets(), plain_sets())
RUNS = st.lists(PLAIN, min_size=1, max_size=40).map(b"".join)
GARBAGE = st.one_of(st.binary(max_size=20), st.sampled_from([b"quit\r\n", b"GET / HTTP/1.1\r\n", b"get " + b"k " * 1100 + b"\r\n"]))
COMMANDS = st.one_of(plain_gets(), plain_gets(), plain_sets(), plain_sets(), stores(), lines(), GARBAGE)
STREAMS = st.lists(COMMANDS, min_size=1, max_size=12).map(b"".join)
CUTS = st.lists(st.integers(0, 1 << 16), max_size=8)

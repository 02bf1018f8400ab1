"""Byte streams for the differential test: valid, nearly valid and garbage commands, drawn by hypothesis.

`@` in a key stands for the case's own prefix, so that cases do not meet in the memcacheds.
"""

from hypothesis import strategies as st

NUMBERS = st.sampled_from(
    [b"0", b"1", b"2", b"5", b"10", b"-1", b"-0", b"+3", b"007", b"x", b"1x", b"", b"4294967295", b"4294967296",
     b"2147483645", b"18446744073709551615", b"18446744073709551616", b"99999999999999999999999", b"1 ", b"0x10", b"1.5",
     b"-2147483649", b"\t1", b"1\t2", b"-18446744073709551615", b"-9223372036854775809", b"0" * 100 + b"3"]
)  # fmt: skip
TOO_LONG = b"k" * 251
TIMES = st.sampled_from(  # none that ends while the tests run: keys that cases share would end at any moment
    [b"0", b"0", b"1000", b"-1", b"-0", b"+3000", b"007000", b"x", b"1x", b"4294967295", b"4294967296", b"1.5", b"\t1000",
     b"2592000", b"2592001", b"99999999999999999999999", b"-2147483649", b"1000\t2"]
)  # fmt: skip
LONG_KEYS = st.sampled_from([b"@" + b"k" * 200, TOO_LONG])
KEYS = st.one_of(
    st.sampled_from([b"@a", b"@b", b"@c", b"@n", b"@a", b"@b"]),
    st.sampled_from([b"@\x01", b"@\x7f", b"@\xff\xc3", b"@\t", b"@\ry", b"@=", b"@END", b"@0"]),
    LONG_KEYS,
)
GOOD_KEYS = st.sampled_from([b"@a", b"@b", b"@c", b"@n"])
VALUES = st.one_of(
    st.sampled_from([b"", b"1", b"10", b"18446744073709551615", b"x", b"END\r\n", b"VALUE a 0 1\r\nx\r\n", b"\r\n", b"7 "]),
    st.binary(max_size=40),
    st.integers(0, 3000).map(lambda size: b"v" * size),
)
END = st.sampled_from([b"\r\n"] * 8 + [b"\n", b"\r\r\n", b" \r\n", b"\r", b"\0\r\n"])
NOREPLY = st.sampled_from([b""] * 4 + [b" noreply", b" noreply ", b" foo", b" noreply x"])
STORES = st.sampled_from([b"set", b"add", b"replace", b"append", b"prepend"])


FLUSHES = st.sampled_from([b"", b"0", b"noreply", b"-1", b"x", b"1000", b"5000 noreply", b"1 2 3", b"x noreply"])


@st.composite
def good_store(draw):
    value = draw(VALUES)
    head = b"%b %b %d %d %d" % (draw(STORES), draw(GOOD_KEYS), draw(st.sampled_from([0, 1, 4294967295])), 0, len(value))
    return head + draw(NOREPLY) + b"\r\n" + value + b"\r\n"


@st.composite
def odd_store(draw):
    value, verb = draw(VALUES), draw(st.sampled_from([b"set", b"add", b"cas", b"append", b"replace"]))
    size = draw(st.one_of(st.just(b"%d" % len(value)), st.just(b"%d" % (len(value) + 1)), NUMBERS))
    if size.strip().lstrip(b"+").isdigit() and int(size) > 10000:
        size = b"3"
    words = [verb, draw(KEYS), draw(NUMBERS), draw(TIMES), size]
    if verb == b"cas":
        words.append(draw(NUMBERS))
    words = words[: draw(st.sampled_from([len(words)] * 6 + [1, 2, 3, 4]))]
    return draw(st.sampled_from([b" ", b"  "])).join(words) + draw(NOREPLY) + draw(END) + value + draw(END)


@st.composite
def gets(draw):
    verb = draw(st.sampled_from([b"get", b"get", b"gets", b"gat 0", b"gats 0", b"gat x", b"bget", b"gat 1000", b"gats -1"]))
    keys = draw(st.lists(st.one_of(GOOD_KEYS, KEYS), min_size=0, max_size=draw(st.sampled_from([1, 1, 3, 40]))))
    return b" ".join([verb, *keys]) + draw(END)


@st.composite
def short(draw):
    verb = draw(st.sampled_from([b"delete", b"incr", b"decr", b"touch", b"verbosity", b"flush_all", b"mn", b"version"]))
    words = [verb, draw(KEYS)] if verb not in (b"verbosity", b"flush_all", b"mn", b"version") else [verb]
    words += draw(st.lists(TIMES if verb == b"touch" else NUMBERS, max_size=3))
    if verb == b"flush_all":
        words = [verb, draw(FLUSHES)]
    return b" ".join(words) + draw(NOREPLY) + draw(END)


FLAGS = st.sampled_from(
    [b"v", b"k", b"f", b"s", b"q", b"q", b"O123", b"O" + b"x" * 40, b"b", b"T0", b"Tx", b"N0", b"N", b"R5", b"I", b"C1", b"Cx",
     b"F5", b"Fx", b"M", b"MA", b"MS", b"ME", b"MI", b"Mx", b"D2", b"Dx", b"J7", b"x", b"!", b"E9", b"S3", b"v", b"k", b"O9"]
)  # fmt: skip


@st.composite
def meta(draw):
    verb = draw(st.sampled_from([b"mg", b"ms", b"md", b"ma", b"me", b"mn"]))
    flags = draw(st.lists(FLAGS, max_size=draw(st.sampled_from([2, 4, 25]))))
    key = draw(st.one_of(GOOD_KEYS, GOOD_KEYS, KEYS, st.sampled_from([b"@Zm9v", b"@Zm9", b"@****"])))
    if verb != b"ms":
        return b" ".join([verb, key, *flags][: draw(st.sampled_from([99] * 6 + [1]))]) + draw(END)
    value = draw(VALUES)
    size = draw(st.sampled_from([b"%d" % len(value)] * 6 + [b"x", b"-1", b"%d" % (len(value) + 2), b""]))
    return b" ".join([verb, key, size, *flags]) + draw(END) + value + b"\r\n"


@st.composite
def long_lines(draw):
    """Lines about as long as one may be, of which one word or the blanks are much of it."""
    verb = draw(st.sampled_from([b"mn ", b"get ", b"gat 0 ", b"set @a 0 0 1 ", b"delete @a ", b"mg @a v ", b"stats ", b"POST / HTTP/1.1 "]))
    size = draw(st.sampled_from([2045, 2046, 2047, 2048, 2049, 2100, 16381, 16385, 17000])) - len(verb)
    fill = draw(st.sampled_from([b" " * size, b"x" * size, (b"@a " * size)[:size], b"x " * 10 + b" " * (size - 20)]))
    return verb + fill + draw(st.sampled_from([b"\r\n", b"\n", b"\r\nx\r\n", b""]))


@st.composite
def http(draw):
    """What a browser may say."""
    verb = draw(st.sampled_from([b"GET", b"POST", b"Host:", b"get", b"mget", b"quit", b"HTTP/1.0", b"stats", b"version", b"x"]))
    words = [b"/"] * draw(st.sampled_from([0, 1, 2, 20, 21, 22, 23, 24]))
    return b" ".join([verb, *words, b"HTTP/1.1"]) + draw(END)


GARBAGE = st.one_of(
    st.binary(max_size=30).filter(lambda data: data[:1] != b"\x80"),
    st.sampled_from(
        [b"GET / HTTP/1.1\r\n", b"POST /x HTTP/1.0\r\nHost: a\r\n\r\n", b"\r\n", b"\n", b" \r\n", b"x\r\n", b"a" * 3000,
         b"get " + b"k " * 1500 + b"\r\n", b"get " + b"@a " * 900, b" " * 200 + b"get @a\r\n", b"set " + b"y" * 2100 + b"\r\n",
         b"quit\r\n", b"quit now\r\n", b"shutdown\r\n", b"stats foo\r\n", b"stats\r\n", b"nonsense @a\r\n", b"incr @n 1 2 3\r\n",
         b"set @a 0 0 3\r\nab\r\n", b"set @a 0 0 3\r\nabcd\r\n", b"set @big 0 0 1100000\r\n" + b"B" * 1100000 + b"\r\n",
         b"set @big 0 0 900000\r\n" + b"B" * 900000 + b"\r\nget @big\r\n", b"stats noreply\r\n", b"stats detail x\r\n",
         b"stats reset\r\n", b"stats settings x\r\n", b"stats  items \r\n", b"GET @a\r\n", b"quit"]
    ),
    long_lines(),
    http(),
)  # fmt: skip
COMMANDS = st.one_of(good_store(), good_store(), odd_store(), gets(), gets(), short(), meta(), GARBAGE)
LAST = st.sampled_from([b"", b"", b"mn\r\n", b"\r\nmn\r\n"])  # shows whether the connection is open


@st.composite
def streams(draw):
    return b"".join(draw(st.lists(COMMANDS, min_size=1, max_size=12))) + draw(LAST)


STREAMS = st.tuples(streams(), st.lists(st.integers(0, 1 << 30), max_size=6))

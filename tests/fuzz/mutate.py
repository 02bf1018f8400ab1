"""Spoils bytes: what a broken program, a broken network or somebody with bad intentions might send."""

import re

LINE_ENDS = (b"\r\n", b"\n", b"\r", b"")
NUMBERS = (b"0", b"1", b"-1", b"00", b"4294967296", b"18446744073709551616", b"9" * 40, b"1e3", b"0x10", b"")
BYTES = (b"\0", b"\r", b"\n", b" ", b"\xff", b"\x80", b"END\r\n", b"VALUE ", b"noreply", b"k" * 251, b"\t", b"#", b": ", b" T", b" k", b" b", b" !", b" M", b" F9999999999", b"=")


def spoil(random, data, others):
    """`data`, changed in one to four ways; `others` are what it may be spliced with."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 4))):
        data = random.choice(WAYS)(random, data, others)
    return data[:20_000]


def _cut(random, data, _others):
    at = random.randrange(len(data) + 1)
    return data[:at] if random.random() < 0.5 else data[at:]


def _drop(random, data, _others):
    at, end = sorted(random.randrange(len(data) + 1) for _ in range(2))
    return data[:at] + data[end:]


def _repeat(random, data, _others):
    at, end = sorted(random.randrange(len(data) + 1) for _ in range(2))
    return data[:end] + data[at:end] * random.choice((1, 1, 2, 20)) + data[end:]


def _insert(random, data, _others):
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice(BYTES) + data[at:]


def _flip(random, data, _others):
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def _splice(random, data, others):
    other = random.choice(others)
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def _number(random, data, _others):
    found = list(re.finditer(rb"\d+", data))
    if not found:
        return data
    match = random.choice(found)
    near = b"%d" % (int(match[0][:9]) + random.choice((-1, 1, 2)))
    return data[: match.start()] + random.choice((near, near, *NUMBERS)) + data[match.end() :]


def _line_end(random, data, _others):
    found = list(re.finditer(rb"\r?\n", data))
    if not found:
        return data
    match = random.choice(found)
    return data[: match.start()] + random.choice(LINE_ENDS) + data[match.end() :]


WAYS = (_cut, _drop, _repeat, _insert, _flip, _splice, _number, _number, _line_end)


def pieces(random, data):
    """`data` in some reads."""
    count = random.choice((1, 1, 2, 3, 8))
    places = sorted(random.randrange(len(data) + 1) for _ in range(count - 1))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)]) if a < b]

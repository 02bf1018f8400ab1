"""Which of several replies is given: by rank, the first among equals; and what is left to ask for."""

import itertools

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.proto.reply import TOO_LARGE
from mcrouter.routes.framework.best import Best, is_good

from .script import MISS, NOT_STORED, SERVER_ERROR, STORED, block, hit, request

CODES = [code[i : i + 1] for code in (o.SUCCESS, o.MISSES, o.HOST_ERRORS, o.OUR_ERRORS) for i in range(len(code))]
RANKS = [o.SUCCESS, o.PARTIAL, o.MISS + o.NOT_STORED + o.EXISTS + o.NOT_FOUND, o.CLIENT_ERROR, o.ERROR, o.SERVER_ERROR, o.OUR_ERRORS]


def rank(code):
    """Its place among the ranks."""
    return next(place for place, codes in enumerate(RANKS) if code in codes)


def test_every_outcome_has_a_rank_and_codes_differ():
    assert len(set(CODES)) == len(CODES)
    assert {code: o.RANK[code] for code in CODES} == {code: rank(code) for code in CODES}


@pytest.mark.parametrize(("first", "second"), list(itertools.product(CODES, repeat=2)))
def test_the_better_of_two(first, second):
    asked = request(b"set a 0 0 0\r\n\r\n")
    best = Best(asked)
    assert best.add(b"first\r\n", first, asked) is (first in o.SUCCESS)
    if first not in o.SUCCESS:
        assert best.add(b"second\r\n", second, asked) is (second in o.SUCCESS)
    better = rank(second) < rank(first)
    assert best.result() == ((b"second\r\n", second) if better else (b"first\r\n", first))


@pytest.mark.parametrize(("outcomes", "expected"), [
    (o.VALUE, True), (o.VALUE + o.STORED + o.HEADER, True), (o.PARTIAL, False), (o.VALUE + o.MISS, False), (o.TIMEOUT, False),
    (o.VALUE * 64, True), (o.VALUE * 63 + o.SERVER_ERROR, False),
])  # fmt: skip
def test_is_good(outcomes, expected):
    assert is_good(outcomes) is expected


@pytest.mark.parametrize("data", [b"get a\r\n", b"get a\r\nget b\r\n", b"get a\r\nget b\r\nget c\r\n"])
def test_a_reply_that_is_too_large_is_the_answer_to_the_whole_run(data):
    run = request(data)
    count = len(run.commands)
    best = Best(run)
    assert not best.add(MISS[0] * count, o.MISS * count, run)
    assert best.add(TOO_LARGE, o.VALUE * count, run)
    assert best.result() == (TOO_LARGE, o.VALUE * count)


def test_a_get_that_memory_leaves_out_is_the_answer():
    many = request(b"get a b\r\n")
    best = Best(many)
    assert best.add(b"SERVER_ERROR out of memory\r\n", o.LEFT_OUT, many)
    assert best.result() == (b"SERVER_ERROR out of memory\r\n", o.LEFT_OUT)


def test_missing_of_a_run():
    run = request(b"get a\r\nset b 0 0 5\r\nget x\r\nget END\r\nget c\r\n")
    best = Best(run)
    replies = [hit(b"a", b"END\r\n"), NOT_STORED, MISS, SERVER_ERROR]
    assert not best.add(b"".join(r for r, _ in replies), b"".join(code for _, code in replies), run)
    left = best.missing()
    assert left.data == b"set b 0 0 5\r\nget x\r\nget END\r\nget c\r\n"
    assert left.split() == [b"set b 0 0 5\r\nget x\r\n", b"get END\r\n", b"get c\r\n"]
    assert left.expected == run.expected[1:] and left.client is run.client
    assert not best.add(b"STORED\r\nEND\r\n" + hit(b"c", b"3")[0], o.STORED + o.MISS + o.VALUE, left)
    last = best.missing()
    assert (last.data, last.expected, len(last.commands)) == (b"get END\r\n", [b"END"], 1)
    assert best.add(*hit(b"END", b"4"), last)
    assert best.result() == (hit(b"a", b"END\r\n")[0] + STORED[0] + hit(b"END", b"4")[0] + hit(b"c", b"3")[0],
                             o.VALUE + o.STORED + o.VALUE + o.VALUE)  # fmt: skip


def test_missing_of_a_run_of_which_nothing_succeeded_is_the_run():
    run = request(b"get a\r\nget b\r\n")
    best = Best(run)
    best.add(b"END\r\nEND\r\n", o.MISS * 2, run)
    assert best.missing() is run


@pytest.mark.parametrize("verb", [b"get", b"gets", b"gat 10", b"gats -1"])
def test_missing_of_several_keys(verb):
    whole = request(verb + b" a b\tc a d\r\n")
    best = Best(whole)
    assert not best.add(block(b"a", b"1") * 2 + b"END\r\n", o.PARTIAL, whole)
    left = best.missing()
    assert left.data == verb + b" b\tc d\r\n"
    assert left.keys() == [b"b\tc", b"d"] and left.commands == whole.commands
    assert best.add(block(b"b\tc", b"2") + block(b"d", b"4") + b"END\r\n", o.VALUE, left)
    a = block(b"a", b"1")
    assert best.result() == (a + block(b"b\tc", b"2") + a + block(b"d", b"4") + b"END\r\n", o.VALUE)


def test_the_first_value_of_a_key_stays():
    whole = request(b"get a b\r\n")
    best = Best(whole)
    best.add(block(b"a", b"1") + b"END\r\n", o.PARTIAL, whole)
    assert best.add(block(b"a", b"2") + block(b"b", b"2") + b"END\r\n", o.VALUE, whole)
    assert best.result() == (block(b"a", b"1") + block(b"b", b"2") + b"END\r\n", o.VALUE)


def test_several_keys_and_only_errors():
    whole = request(b"get a b\r\n")
    best = Best(whole)
    assert not best.add(*SERVER_ERROR, whole)
    assert best.missing().data == whole.data
    assert not best.add(b"SERVER_ERROR mcrouter: h: no\r\n", o.TIMEOUT, whole)
    assert best.result() == SERVER_ERROR

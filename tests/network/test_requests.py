"""The checks of the network tests can fail: what is wrong with an answer is found, what may be is let through."""

import pytest

from tests.network.requests import Draw, Key, Malformed, Request, cut_answer, is_value_of, make_value

ANSWERS = (
    b"VALUE a 0 4\r\nE\r\nD\r\nVALUE b 0 0 7\r\n\r\nEND\r\n", b"END\r\n", b"STORED\r\n", b"VA 2 ka O1\r\nxy\r\n", b"HD ka\r\n",
    b"SERVER_ERROR x\r\n", b"12\r\n",
)  # fmt: skip
MINE, OTHER = make_value(b"mine", 1, 64, False), make_value(b"other", 1, 64, False)


def block(key, value, flags=b"7"):
    return b"VALUE %b %b %d\r\n%b\r\n" % (key, flags, len(value), value)


def asked(line, *names):
    return Request(line, [Key(name, False) for name in names or [b"mine"]], b"")


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_is_cut_wherever_the_bytes_end(answer):
    assert [cut_answer(answer[:end]) for end in range(len(answer))] == [None] * len(answer)
    assert cut_answer(answer) == cut_answer(answer + b"more") == answer


@pytest.mark.parametrize(
    "data", [b"VALUE a 0\r\n", b"END\n", b"VA x\r\n", b"VALUE a 0 1\r\nxEND\r\n", block(b"a", b"x") + b"SERVER_ERROR x\r\n"]
)
def test_what_is_no_answer_is_told(data):
    with pytest.raises(Malformed):
        cut_answer(data)


@pytest.mark.parametrize("imitates", [False, True])
def test_a_value_says_whose_it_is(imitates):
    value = make_value(b"mine", 3, 200, imitates)
    assert len(value) == 200
    assert is_value_of(b"mine", value)
    for wrong in (value[:-1], value + b"x", value[:100] + b"#" + value[101:], value.replace(b"mine", b"nine"), b""):
        assert not is_value_of(b"mine", wrong)
    assert not is_value_of(b"min", value)


@pytest.mark.parametrize(
    ("line", "answer", "fine"),
    [
        (b"get mine\r\n", block(b"mine", MINE) + b"END\r\n", True),
        (b"get mine\r\n", b"END\r\n", True),
        (b"get mine\r\n", b"SERVER_ERROR timeout\r\n", True),
        (b"get mine\r\n", block(b"other", OTHER) + b"END\r\n", False),
        (b"get mine\r\n", block(b"mine", OTHER) + b"END\r\n", False),
        (b"get mine\r\n", block(b"mine", MINE[:-1]) + b"END\r\n", False),
        (b"get mine\r\n", block(b"mine", MINE) * 2 + b"END\r\n", False),
        (b"get mine\r\n", b"STORED\r\n", False),
        (b"get mine\r\n", b"EN\r\n", False),
        (b"mg mine k v\r\n", b"VA 64 kmine\r\n%b\r\n" % MINE, True),
        (b"mg mine k v\r\n", b"VA 64\r\n%b\r\n" % MINE, False),
        (b"mg mine k v\r\n", b"VA 64 kmine\r\n%b\r\n" % OTHER, False),
        (b"mg mine k v\r\n", b"VA 64 kother\r\n%b\r\n" % MINE, False),
        (b"mg mine O7 v\r\n", b"VA 64 O8\r\n%b\r\n" % MINE, False),
        (b"mg mine O7 v\r\n", b"EN O8\r\n", False),
        (b"mg mine O7 v\r\n", b"EN\r\n", True),
        (b"mg mine k v\r\n", b"HD kmine\r\n", False),
        (b"mg mine k s\r\n", b"HD kmine s64\r\n", True),
        (b"mg mine k v\r\n", b"END\r\n", False),
        (b"ms mine 1 k\r\nx\r\n", b"HD kmine\r\n", True),
        (b"ms mine 1 k\r\nx\r\n", b"HD kother\r\n", False),
        (b"ms mine 1\r\nx\r\n", b"STORED\r\n", False),
        (b"set mine 0 0 1\r\nx\r\n", b"STORED\r\n", True),
        (b"set mine 0 0 1\r\nx\r\n", b"HD\r\n", False),
        (b"delete mine\r\n", b"NOT_FOUND\r\n", True),
        (b"delete mine\r\n", b"NF\r\n", False),
        (b"incr mine 1\r\n", b"12\r\n", True),
        (b"incr mine 1\r\n", b"1x2\r\n", False),
    ],
)
def test_what_is_excused_where_hosts_fail(line, answer, fine):
    assert (asked(line).excuse(answer) == "") is fine


def test_values_come_in_the_order_of_their_keys():
    one, two = (block(key, make_value(key, 1, 64, False)) for key in (b"one", b"two"))
    request = asked(b"get one two\r\n", b"one", b"two")
    assert not any(request.excuse(answer + b"END\r\n") for answer in (one + two, one, two, b""))
    assert all(request.excuse(answer + b"END\r\n") for answer in (two + one, one + one, one + two + two))


def test_a_cas_unique_may_be_any():
    request = Request(b"gets mine\r\n", [], b"VALUE mine 7 1 CAS\r\nx\r\nEND\r\n")
    assert request.is_right(b"VALUE mine 7 1 12345\r\nx\r\nEND\r\n")
    assert not request.is_right(b"VALUE mine 7 1\r\nx\r\nEND\r\n")


def test_the_same_name_draws_the_same_requests():
    one, same, other = (Draw(name, b"key", 30, True) for name in ("a", "a", "b"))
    drawn = [[request.data for _ in range(20) for request in draw.batch()] for draw in (one, same, other)]
    assert drawn[0] == drawn[1] != drawn[2]

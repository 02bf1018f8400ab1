"""MissFailoverRoute: its docstring's table for single commands, runs and gets of several keys."""

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.routes.framework.pool import Pool
from mcrouter.routes.miss_failover import MissFailoverRoute

from .script import (
    CLIENT_ERROR,
    DELETED,
    ERROR,
    EXISTS,
    MISS,
    NO_HEALTHY,
    NOT_FOUND,
    NOT_STORED,
    SERVER_ERROR,
    STORED,
    Host,
    answer,
    ask,
    block,
    hit,
    set_health,
)
from .world import World

HIT1, HIT2 = hit(b"a", b"1"), hit(b"a", b"two")
GET, SET, DELETE = b"get a\r\n", b"set a 0 0 1\r\nx\r\n", b"delete a\r\n"
# (command, what each host says, the answer, how many hosts are asked)
TABLE = [
    (GET, [], NO_HEALTHY, 0),
    (GET, [HIT1], HIT1, 1),
    (GET, [MISS], MISS, 1),
    (GET, [SERVER_ERROR], SERVER_ERROR, 1),
    (GET, [HIT1, HIT2], HIT1, 1),
    (GET, [MISS, HIT2], HIT2, 2),
    (GET, [SERVER_ERROR, HIT2], HIT2, 2),
    (GET, [ERROR, HIT2], HIT2, 2),
    (GET, [MISS, MISS], MISS, 2),
    (GET, [MISS, SERVER_ERROR], MISS, 2),
    (GET, [SERVER_ERROR, MISS], MISS, 2),
    (GET, [SERVER_ERROR, ERROR], ERROR, 2),
    (GET, [SERVER_ERROR, CLIENT_ERROR], CLIENT_ERROR, 2),
    (GET, [MISS, MISS, HIT2], HIT2, 3),
    (GET, [MISS, SERVER_ERROR, HIT2], HIT2, 3),
    (GET, [MISS, HIT1, HIT2], HIT1, 2),
    (GET, [SERVER_ERROR, SERVER_ERROR, MISS], MISS, 3),
    (SET, [STORED, NOT_STORED], STORED, 1),
    (SET, [NOT_STORED, STORED], STORED, 2),
    (SET, [NOT_STORED, EXISTS], NOT_STORED, 2),
    (SET, [SERVER_ERROR, NOT_STORED], NOT_STORED, 2),
    (DELETE, [NOT_FOUND, DELETED], DELETED, 2),
    (DELETE, [NOT_FOUND, NOT_FOUND, SERVER_ERROR], NOT_FOUND, 3),
]


def make(says, data, holds=False):
    """(route, hosts)."""
    hosts = [Host(str(i), says={data: reply}, holds=holds) for i, reply in enumerate(says)]
    return MissFailoverRoute(Pool(hosts)), hosts


@pytest.mark.parametrize(("data", "says", "expected", "asked"), TABLE)
def test_one_command(data, says, expected, asked):
    route, hosts = make(says, data)
    assert answer(route, data) == expected
    assert [host.asked for host in hosts] == [[data]] * asked + [[]] * (len(hosts) - asked)


@pytest.mark.parametrize(("data", "says", "expected", "asked"), TABLE)
def test_one_command_answered_late(data, says, expected, asked):
    """One host at a time, and the answer only when it is known."""
    route, hosts = make(says, data, holds=True)
    sink = ask(route, data)
    for host in hosts[:asked]:
        assert sink.got is None
        host.answer()
    assert sink.got == expected


OURS = [o.TIMEOUT, o.LOST, o.UNAVAILABLE]


@pytest.mark.parametrize("code", OURS)
@pytest.mark.parametrize("second", [HIT2, MISS, SERVER_ERROR, ERROR])
def test_after_an_error_of_ours_the_next_is_asked(code, second):
    """Whatever it says is better."""
    route, hosts = make([HIT1, second], GET, holds=True)
    sink = ask(route, GET)
    hosts[0].fail(code)
    hosts[1].answer()
    assert sink.got == second


@pytest.mark.parametrize("code", OURS)
@pytest.mark.parametrize("first", [MISS, SERVER_ERROR])
def test_an_error_of_ours_is_worst(code, first):
    route, hosts = make([first, HIT2], GET, holds=True)
    sink = ask(route, GET)
    hosts[0].answer()
    hosts[1].fail(code)
    assert sink.got == first


def test_only_errors_of_ours():
    route, hosts = make([HIT1, HIT2], GET, holds=True)
    sink = ask(route, GET)
    hosts[0].fail(o.TIMEOUT)
    hosts[1].fail(o.LOST)
    assert sink.got == hosts[0].failure(o.TIMEOUT)


# Runs ------------------------------------------------------------------------------------------------------------


def parts(*answers):
    """The answers of a run."""
    return b"".join(reply for reply, _ in answers), b"".join(outcome for _, outcome in answers)


def test_of_a_run_only_what_failed_goes_on():
    run = b"get a\r\nget b\r\nset c 0 0 1\r\nx\r\nget d\r\n"
    hosts = [Host("1", {b"a": b"1"}), Host("2", {b"a": b"2", b"b": b"2"}), Host("3", {b"b": b"3", b"d": b"END\r\n"})]
    assert answer(MissFailoverRoute(Pool(hosts)), run) == parts(
        hit(b"a", b"1"), hit(b"b", b"2"), STORED, hit(b"d", b"END\r\n")
    )
    assert [host.asked for host in hosts] == [[run], [b"get b\r\nget d\r\n"], [b"get d\r\n"]]


def test_a_run_that_all_hits_asks_one_host():
    run = b"get a\r\nget a\r\n"
    hosts = [Host("1", {b"a": b"1"}), Host("2")]
    assert answer(MissFailoverRoute(Pool(hosts)), run) == parts(hit(b"a", b"1"), hit(b"a", b"1"))
    assert hosts[1].asked == []


def test_a_run_that_all_misses_goes_on_as_it_is():
    run = b"get a\r\nget b\r\n"
    hosts = [Host("1"), Host("2", {b"b": b"2"}), Host("3")]
    assert answer(MissFailoverRoute(Pool(hosts)), run) == parts(MISS, hit(b"b", b"2"))
    assert [host.asked for host in hosts] == [[run], [run], [b"get a\r\n"]]


def test_a_run_that_times_out_goes_on():
    run = b"get a\r\nset b 0 0 1\r\nx\r\nget c\r\n"
    hosts = [Host("1", holds=True), Host("2", {b"a": b"2"}), Host("3", holds=True)]
    sink = ask(MissFailoverRoute(Pool(hosts)), run)
    hosts[0].fail()
    assert hosts[2].asked == [b"get c\r\n"]
    hosts[2].fail()
    assert sink.got == parts(hit(b"a", b"2"), STORED, MISS)


def test_a_sets_failure_in_a_run_goes_on():
    sets = [b"set a 0 0 5\r\nget a\r\n", b"set b 0 0 2\r\n\r\n\r\n", b"set c 0 0 0\r\n\r\n"]
    hosts = [Host("1", says={sets[1]: SERVER_ERROR}), Host("2", says={sets[1]: NOT_STORED})]
    assert answer(MissFailoverRoute(Pool(hosts)), b"".join(sets)) == parts(STORED, NOT_STORED, STORED)
    assert hosts[1].asked == [sets[1]]


def test_keys_that_look_like_replies():
    run = b"get END\r\nget STORED\r\nget VALUE\r\n"
    hosts = [Host("1", {b"STORED": b"END"}), Host("2", {b"END": b"2", b"VALUE": b"2"})]
    expected = parts(hit(b"END", b"2"), hit(b"STORED", b"END"), hit(b"VALUE", b"2"))
    assert answer(MissFailoverRoute(Pool(hosts)), run) == expected


# Gets of several keys ----------------------------------------------------------------------------------------------

# (request, what the hosts have, answer's (key, host) pairs, what the hosts are asked)
SEVERAL = [
    (b"get a b\r\n", ["ab", "ab"], "a0 b0", [b"get a b\r\n"]),
    (b"get a b\r\n", ["a", "ab"], "a0 b1", [b"get a b\r\n", b"get b\r\n"]),
    (b"get a b\r\n", ["b", "a"], "a1 b0", [b"get a b\r\n", b"get a\r\n"]),
    (b"get a b\r\n", ["", "b"], "b1", [b"get a b\r\n", b"get a b\r\n"]),
    (b"get a b\r\n", ["", ""], "", [b"get a b\r\n", b"get a b\r\n"]),
    (b"get a b\r\n", ["a", ""], "a0", [b"get a b\r\n", b"get b\r\n"]),
    (b"get c b a\r\n", ["b", "c", "a"], "c1 b0 a2", [b"get c b a\r\n", b"get c a\r\n", b"get a\r\n"]),
    (b"get a b a\r\n", ["b", "a"], "a1 b0 a1", [b"get a b a\r\n", b"get a a\r\n"]),
    (b"get a b a b\r\n", ["a", ""], "a0 a0", [b"get a b a b\r\n", b"get b b\r\n"]),
    (b"get a\tb c\r\n", ["c", ""], "c0", [b"get a\tb c\r\n", b"get a\tb\r\n"]),
    (b"gat 10 a b\r\n", ["a", "b"], "a0 b1", [b"gat 10 a b\r\n", b"gat 10 b\r\n"]),
    (b"gats -1 a b c\r\n", ["b", "", "c"], "b0 c2", [b"gats -1 a b c\r\n", b"gats -1 a c\r\n", b"gats -1 a c\r\n"]),
    (b"gets a b\r\n", ["", "ab"], "a1 b1", [b"gets a b\r\n", b"gets a b\r\n"]),
]


@pytest.mark.parametrize(("data", "have", "expected", "asked"), SEVERAL)
def test_several_keys(data, have, expected, asked):
    hosts = [Host(str(i), {bytes([key]): b"%d" % i for key in keys.encode()}) for i, keys in enumerate(have)]
    reply, outcome = answer(MissFailoverRoute(Pool(hosts)), data)
    pairs = expected.encode().split()
    assert reply == b"".join(block(pair[:1], pair[1:]) for pair in pairs) + b"END\r\n"
    count = len(data.split(b" ")) - (2 if data.startswith(b"gat") else 1)
    assert outcome == (o.VALUE if len(pairs) == count else o.PARTIAL if pairs else o.MISS)
    assert [made for host in hosts for made in host.asked] == asked


def test_several_keys_with_a_host_that_fails():
    hosts = [Host("1", {b"a": b"1"}), Host("2", holds=True), Host("3", {b"b": b"3"})]
    sink = ask(MissFailoverRoute(Pool(hosts)), b"get a b c\r\n")
    hosts[1].fail(o.LOST)
    assert sink.got == (block(b"a", b"1") + block(b"b", b"3") + b"END\r\n", o.PARTIAL)


def test_several_keys_of_which_a_failing_host_had_the_rest():
    """What one host has is given, whatever happens to the others."""
    hosts = [Host("1", {b"a": b"1"}), Host("2", holds=True)]
    sink = ask(MissFailoverRoute(Pool(hosts)), b"get a b\r\n")
    hosts[1].fail()
    assert sink.got == (block(b"a", b"1") + b"END\r\n", o.PARTIAL)


@pytest.mark.parametrize(("first", "second", "expected"), [
    (SERVER_ERROR, MISS, MISS), (MISS, SERVER_ERROR, MISS), (SERVER_ERROR, ERROR, ERROR), (ERROR, SERVER_ERROR, ERROR),
])  # fmt: skip
def test_several_keys_of_which_none_is_found(first, second, expected):
    route, _ = make([first, second], b"get a b\r\n")
    assert answer(route, b"get a b\r\n") == expected


# Health ----------------------------------------------------------------------------------------------------------


def test_a_host_that_went_while_the_request_was_under_way_is_passed_over():
    hosts = [Host("1", holds=True), Host("2", {b"a": b"2"}), Host("3", {b"a": b"3"})]
    pool = Pool(hosts)
    sink = ask(MissFailoverRoute(pool), GET)
    set_health(pool, hosts[1], False)
    hosts[0].answer()
    assert sink.got == hit(b"a", b"3") and hosts[1].asked == []


def test_all_others_went_while_the_request_was_under_way():
    hosts = [Host("1", holds=True), Host("2"), Host("3")]
    pool = Pool(hosts)
    sink = ask(MissFailoverRoute(pool), GET)
    set_health(pool, hosts[1], False)
    set_health(pool, hosts[2], False)
    hosts[0].answer()
    assert sink.got == MISS


def test_the_asked_host_goes():
    hosts = [Host("1", holds=True), Host("2", {b"a": b"2"})]
    pool = Pool(hosts)
    sink = ask(MissFailoverRoute(pool), GET)
    set_health(pool, hosts[0], False)
    hosts[0].fail(o.LOST)
    assert sink.got == hit(b"a", b"2")


def test_a_host_that_comes_back_is_not_asked_twice():
    hosts = [Host("1", holds=True), Host("2", holds=True)]
    pool = Pool(hosts)
    sink = ask(MissFailoverRoute(pool), GET)
    set_health(pool, hosts[0], False)
    hosts[0].fail(o.LOST)
    set_health(pool, hosts[0], True)
    hosts[1].answer()
    assert sink.got == MISS and hosts[0].asked == [GET]


@pytest.mark.parametrize(("away", "recorded"), [("a", "a"), ("ab", "ab"), ("b", ""), ("bc", ""), ("abc", "abc"), ("ac", "a")])
@pytest.mark.parametrize("route", ["MissFailoverRoute", "DefaultRoute"])
def test_a_write_is_missed_by_the_hosts_before_the_first_healthy_one(route, away, recorded):
    """The hosts behind it would not have got it either."""
    world = World({"orderedPool": ["a:1", "b:1", "c:1"], "route": route})
    for host in world.hosts.values():
        host.journal = object()
    for name in away:
        world.set_health(f"{name}:1", False)
    world.ask(b"set k 0 0 1\r\nx\r\n")
    assert "".join(name[0] for name, host in world.hosts.items() if host.has_missed) == recorded

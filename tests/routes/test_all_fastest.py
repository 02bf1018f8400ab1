"""AllFastestRoute: its docstring's table for single commands, runs and gets of several keys, in every order of answers."""

import itertools

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.routes.all_fastest import AllFastestRoute
from mcrouter.routes.framework.pool import Pool

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

HIT1, HIT2 = hit(b"a", b"1"), hit(b"a", b"two")
GET, SET, DELETE = b"get a\r\n", b"set a 0 0 1\r\nx\r\n", b"delete a\r\n"
# (command, what the hosts say in the order in which they do, the answer, after how many replies it is known)
TABLE = [
    (GET, [], NO_HEALTHY, 0),
    (GET, [HIT1], HIT1, 1),
    (GET, [SERVER_ERROR], SERVER_ERROR, 1),
    (GET, [HIT1, HIT2], HIT1, 1),
    (GET, [HIT1, MISS], HIT1, 1),
    (GET, [MISS, HIT2], HIT2, 2),
    (GET, [SERVER_ERROR, HIT2], HIT2, 2),
    (GET, [MISS, MISS], MISS, 2),
    (GET, [MISS, SERVER_ERROR], MISS, 2),
    (GET, [SERVER_ERROR, MISS], MISS, 2),
    (GET, [SERVER_ERROR, CLIENT_ERROR], CLIENT_ERROR, 2),
    (GET, [ERROR, SERVER_ERROR], ERROR, 2),
    (GET, [MISS, HIT1, HIT2], HIT1, 2),
    (GET, [MISS, SERVER_ERROR, HIT2], HIT2, 3),
    (GET, [SERVER_ERROR, ERROR, MISS], MISS, 3),
    (SET, [STORED, STORED], STORED, 1),
    (SET, [NOT_STORED, STORED], STORED, 2),
    (SET, [NOT_STORED, EXISTS], NOT_STORED, 2),
    (SET, [EXISTS, NOT_STORED], EXISTS, 2),
    (SET, [SERVER_ERROR, NOT_STORED, STORED], STORED, 3),
    (DELETE, [NOT_FOUND, DELETED], DELETED, 2),
    (DELETE, [NOT_FOUND, NOT_FOUND], NOT_FOUND, 2),
]


@pytest.mark.parametrize(("data", "says", "expected", "known"), TABLE)
def test_one_command(data, says, expected, known):
    """Whatever the hosts' order in the pool is, the order of their answers decides; the late ones are dropped."""
    for order in itertools.permutations(range(len(says))):
        hosts = [Host(str(i), says={data: reply}, holds=True) for i, reply in enumerate(says)]
        sink = ask(AllFastestRoute(Pool([hosts[i] for i in order])), data)
        assert [host.asked for host in hosts] == [[data]] * len(hosts)
        for count, host in enumerate(hosts):
            assert (sink.got is not None) == (count >= known)
            host.answer()
        assert sink.got == expected


@pytest.mark.parametrize(("data", "says", "expected", "known"), TABLE)
def test_answered_at_once(data, says, expected, known):
    """A host may answer while the others are still being asked: all are asked all the same."""
    hosts = [Host(str(i), says={data: reply}) for i, reply in enumerate(says)]
    assert answer(AllFastestRoute(Pool(hosts)), data) == expected
    assert [host.asked for host in hosts] == [[data]] * len(hosts)


OURS = [o.TIMEOUT, o.LOST, o.UNAVAILABLE]


@pytest.mark.parametrize("code", OURS)
@pytest.mark.parametrize("other", [HIT2, MISS, SERVER_ERROR, ERROR, CLIENT_ERROR])
@pytest.mark.parametrize("ours_first", [True, False])
def test_an_error_of_ours_is_worst(code, other, ours_first):
    hosts = [Host("1", holds=True), Host("2", says={GET: other}, holds=True)]
    sink = ask(AllFastestRoute(Pool(hosts)), GET)
    steps = [lambda: hosts[0].fail(code), hosts[1].answer]
    for step in steps if ours_first else reversed(steps):
        step()
    assert sink.got == other


def test_only_errors_of_ours():
    hosts = [Host("1", holds=True), Host("2", holds=True)]
    sink = ask(AllFastestRoute(Pool(hosts)), GET)
    hosts[1].fail(o.LOST)
    assert sink.got is None
    hosts[0].fail(o.TIMEOUT)
    assert sink.got == hosts[1].failure(o.LOST)


# Runs ------------------------------------------------------------------------------------------------------------


def parts(*answers):
    """The answers of a run."""
    return b"".join(reply for reply, _ in answers), b"".join(outcome for _, outcome in answers)


def race(data, hosts, steps):
    """The sink after these steps: (host's number, whether it fails)."""
    sink = ask(AllFastestRoute(Pool(hosts)), data)
    for number, fails in steps:
        hosts[number].fail() if fails else hosts[number].answer()
    return sink


RUN = b"get a\r\nset b 0 0 1\r\nx\r\nget END\r\n"


def hosts_of(*values, says=None):
    """Hosts that hold their answers."""
    return [Host(str(i), value, says, holds=True) for i, value in enumerate(values)]


def test_a_run_of_successes_is_answered_at_once():
    hosts = hosts_of({b"a": b"0", b"END": b"0"}, {})
    sink = race(RUN, hosts, [(0, False)])
    assert sink.got == parts(hit(b"a", b"0"), STORED, hit(b"END", b"0"))
    hosts[1].answer()


def test_each_command_of_a_run_gets_its_first_success():
    hosts = hosts_of({b"a": b"0"}, {b"a": b"1", b"END": b"1"}, {b"END": b"2"})
    sink = race(RUN, hosts, [(0, False), (1, False)])
    assert sink.got == parts(hit(b"a", b"0"), STORED, hit(b"END", b"1"))
    hosts[2].answer()


def test_a_run_whose_failures_nobody_mends():
    sink = race(RUN, hosts_of({b"a": b"0"}, {}), [(1, False), (0, False)])
    assert sink.got == parts(hit(b"a", b"0"), STORED, MISS)


@pytest.mark.parametrize("steps", [[(0, True), (1, False)], [(1, False), (0, True)]])
def test_a_run_at_a_host_that_times_out(steps):
    sink = race(RUN, hosts_of({}, {b"END": b"1"}), steps)
    assert sink.got == parts(MISS, STORED, hit(b"END", b"1"))


def test_a_run_that_times_out_everywhere():
    hosts = hosts_of({}, {})
    sink = race(RUN, hosts, [(1, True), (0, True)])
    assert sink.got == parts(*[hosts[1].failure()] * 3)


def test_a_run_with_a_hosts_error_in_it():
    hosts = hosts_of({b"a": b"0"}, {b"a": b"1"}, says={b"get END\r\n": SERVER_ERROR})
    hosts[1].says = {}
    sink = race(RUN, hosts, [(0, False), (1, False)])
    assert sink.got == parts(hit(b"a", b"0"), STORED, MISS)


# Gets of several keys ----------------------------------------------------------------------------------------------

# (request, what the hosts have in the order of their answers, answer's (key, host) pairs, after how many it is known)
SEVERAL = [
    (b"get a b\r\n", ["ab", "ab"], "a0 b0", 1),
    (b"get a b\r\n", ["a", "ab"], "a0 b1", 2),
    (b"get a b\r\n", ["b", "a"], "a1 b0", 2),
    (b"get a b\r\n", ["b", "a", "ab"], "a1 b0", 2),
    (b"get a b\r\n", ["", "b"], "b1", 2),
    (b"get a b\r\n", ["", ""], "", 2),
    (b"get c b a\r\n", ["b", "c", "a"], "c1 b0 a2", 3),
    (b"get a b a\r\n", ["b", "a"], "a1 b0 a1", 2),
    (b"get a b a b\r\n", ["a", ""], "a0 a0", 2),
    (b"gat 10 a b\r\n", ["a", "b"], "a0 b1", 2),
    (b"gets a b\r\n", ["", "ab"], "a1 b1", 2),
]


@pytest.mark.parametrize(("data", "have", "expected", "known"), SEVERAL)
def test_several_keys(data, have, expected, known):
    hosts = [Host(str(i), {bytes([key]): b"%d" % i for key in keys.encode()}, holds=True) for i, keys in enumerate(have)]
    sink = ask(AllFastestRoute(Pool(list(reversed(hosts)))), data)
    for count, host in enumerate(hosts):
        assert (sink.got is not None) == (count >= known)
        host.answer()
    pairs = expected.encode().split()
    count = len(data.split(b" ")) - (2 if data.startswith(b"gat") else 1)
    whole = o.VALUE if len(pairs) == count else o.PARTIAL if pairs else o.MISS
    assert sink.got == (b"".join(block(pair[:1], pair[1:]) for pair in pairs) + b"END\r\n", whole)
    assert [host.asked for host in hosts] == [[data]] * len(hosts)


@pytest.mark.parametrize("steps", [[(0, True), (1, False)], [(1, False), (0, True)]])
def test_several_keys_with_a_host_that_fails(steps):
    sink = race(b"get a b\r\n", hosts_of({b"a": b"0"}, {b"b": b"1"}), steps)
    assert sink.got == (block(b"b", b"1") + b"END\r\n", o.PARTIAL)


@pytest.mark.parametrize("steps", [[(0, True), (1, False)], [(1, False), (0, True)]])
def test_several_keys_a_miss_is_better_than_an_error(steps):
    assert race(b"get a b\r\n", hosts_of({}, {}), steps).got == MISS


# Health ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("health", ["00", "01", "10", "11", "011"])
def test_only_healthy_hosts_are_asked(health):
    hosts = [Host(str(i)) for i in range(len(health))]
    for host, flag in zip(hosts, health):
        host.healthy = flag == "1"
    assert answer(AllFastestRoute(Pool(hosts)), SET) == (STORED if "1" in health else NO_HEALTHY)
    assert [len(host.asked) for host in hosts] == [int(flag) for flag in health]


def test_a_run_without_a_healthy_host():
    assert answer(AllFastestRoute(Pool([])), RUN) == parts(*[NO_HEALTHY] * 3)


class Collapsing(Host):
    """Fails at once and takes itself out of the pool, while the route is still asking."""

    pool: Pool

    def send(self, request, sink):
        self.asked.append(request.data)
        set_health(self.pool, self, False)
        count = len(request.commands)
        reply, code = self.failure(o.UNAVAILABLE)
        sink.on_reply(reply * count, code * count)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_host_that_goes_while_the_others_are_being_asked(place):
    hosts = [Host("1"), Host("2")]
    hosts.insert(place, Collapsing("3"))
    hosts[place].pool = pool = Pool(hosts)
    assert answer(AllFastestRoute(pool), SET) == STORED
    assert [host.asked for host in hosts] == [[SET]] * 3
    assert len(pool.healthy) == 2


def test_a_host_that_goes_with_the_request_under_way():
    hosts = hosts_of({}, {b"a": b"1"})
    pool = Pool(hosts)
    sink = ask(AllFastestRoute(pool), GET)
    set_health(pool, hosts[0], False)
    hosts[0].fail(o.LOST)
    assert sink.got is None
    hosts[1].answer()
    assert sink.got == hit(b"a", b"1")

"""FailoverRoute and those made of it: the tables of their docstrings, each field of a config, every policy."""

import pytest

from mcrouter.config import ConfigError
from mcrouter.hashing import make_chooser
from mcrouter.hashing.choosers import rendezvous_order
from mcrouter.proto import outcomes as o

from .script import (
    CLIENT,
    CLIENT_ERROR,
    DELETED,
    ERROR,
    MISS,
    NOT_STORED,
    SERVER_ERROR,
    STORED,
    Host,
    block,
    hit,
    request,
)
from .world import World

GET, SET, DELETE = b"get k\r\n", b"set k 0 0 1\r\nx\r\n", b"delete k\r\n"
HIT1, HIT2 = hit(b"k", b"1"), hit(b"k", b"2")


@pytest.fixture(autouse=True)
def waits():
    CLIENT.waits = True
    yield
    CLIENT.waits = True


def failover(*says, data=GET, holds=False, **options):
    """A world with a FailoverRoute over hosts that say this."""
    names = [f"{name}:1" for name in "abcde"[: len(says)]]
    hosts = {name: Host(name, says={data: answer}, holds=holds) for name, answer in zip(names, says)}
    route = {"type": "FailoverRoute", "children": "Pool|A", **options}
    return World({"pools": {"A": {"servers": names}}, "route": route}, hosts)


def who(world):
    """The hosts that were asked, as letters."""
    return "".join(name[0] for name in world.asked())


def in_order(world):
    """A list that grows by the hosts that are asked, as letters."""
    order = []
    for name, host in world.hosts.items():
        send = host.send
        host.send = lambda request, sink, since=None, name=name, send=send: (order.append(name[0]), send(request, sink))
    return order


ANSWERS = [
    (GET, [HIT1, HIT2], HIT1, "a"),
    (GET, [MISS, HIT2], MISS, "a"),
    (GET, [SERVER_ERROR, HIT2], HIT2, "ab"),
    (GET, [SERVER_ERROR, MISS], MISS, "ab"),
    (GET, [CLIENT_ERROR, HIT2], CLIENT_ERROR, "a"),
    (GET, [ERROR, HIT2], ERROR, "a"),
    (GET, [SERVER_ERROR, SERVER_ERROR, HIT2], HIT2, "abc"),
    (GET, [SERVER_ERROR, SERVER_ERROR], SERVER_ERROR, "ab"),
    (SET, [NOT_STORED, STORED], NOT_STORED, "a"),
    (SET, [SERVER_ERROR, STORED], STORED, "ab"),
    (DELETE, [SERVER_ERROR, DELETED], DELETED, "ab"),
    (b"mg k v\r\n", [(b"EN\r\n", o.MISS), (b"VA 1\r\nx\r\n", o.VALUE)], (b"EN\r\n", o.MISS), "a"),
    (b"incr k 1\r\n", [SERVER_ERROR, (b"5\r\n", o.NUMBER)], (b"5\r\n", o.NUMBER), "ab"),
]


@pytest.mark.parametrize(("data", "says", "expected", "asked"), ANSWERS)
def test_answers(data, says, expected, asked):
    world = failover(*says, data=data)
    assert world.answer(data) == expected
    assert who(world) == asked


@pytest.mark.parametrize("code", [o.TIMEOUT, o.LOST, o.UNAVAILABLE])
@pytest.mark.parametrize(("data", "answer"), [(GET, HIT2), (SET, STORED)])
def test_failures(code, data, answer):
    """A read that is lost is not asked of the same host once more: the next is there."""
    world = failover(answer, answer, data=data, holds=True)
    sink = world.ask(data)
    world.hosts["a:1"].fail(code)
    world.hosts["b:1"].answer()
    assert sink.got == answer
    assert who(world) == "ab"


def test_the_engine_goes_on_from_the_first():
    """Who has asked the first host, with the request as its own sink, calls `after_failure`."""
    world = failover(MISS, HIT2)
    route = world.route(b"get")
    made = request(GET)
    assert route.direct_host(made) is world.hosts["a:1"]
    from .script import Sink

    sink = Sink()
    route.after_failure(made, sink, world.hosts["a:1"], *MISS)
    assert sink.got == MISS
    sink = Sink()
    route.after_failure(made, sink, world.hosts["a:1"], *world.hosts["a:1"].failure(o.TIMEOUT))
    assert sink.got == HIT2


def test_unhealthy_hosts():
    world = failover(HIT1, HIT2)
    world.set_health("a:1", False)
    assert world.answer(GET) == HIT2
    world.set_health("b:1", False)
    assert world.answer(GET)[1] == o.TKO


ERRORS = [
    (["tko"], o.TIMEOUT, GET, False), (["timeout"], o.TIMEOUT, GET, True), (["timeout"], o.TIMEOUT, SET, True),
    ({"gets": ["timeout"], "updates": []}, o.TIMEOUT, GET, True), ({"gets": ["timeout"], "updates": []}, o.TIMEOUT, SET, False),
    ({"updates": []}, o.TIMEOUT, DELETE, True), ({"deletes": []}, o.TIMEOUT, DELETE, False), ([], o.UNAVAILABLE, GET, False),
    (["connect_error"], o.UNAVAILABLE, GET, True), (["connect_timeout"], o.UNAVAILABLE, GET, True),
    (["remote_error"], o.LOST, GET, True), (["busy", "try_again", "shutdown"], o.LOST, GET, False),
    ({"updates": ["tko"]}, o.TIMEOUT, b"incr k 1\r\n", True),
]  # fmt: skip


@pytest.mark.parametrize(("errors", "code", "data", "may_ask_another_host"), ERRORS)
def test_failover_errors(errors, code, data, may_ask_another_host):
    world = failover(STORED, STORED, data=data, holds=True, failover_errors=errors)
    world.ask(data)
    while world.hosts["a:1"]._pending:  # a read that was lost, on a fresh connection
        world.hosts["a:1"].fail(code)
    assert bool(world.hosts["b:1"].asked) == may_ask_another_host


def test_a_write_that_nobody_waits_for_is_not_failed_over_late():
    """It could overtake what its client has written since."""
    world = failover(STORED, STORED, data=SET, holds=True)
    world.ask(SET)
    CLIENT.waits = False
    world.hosts["a:1"].fail(o.TIMEOUT)
    assert world.hosts["b:1"].asked == []


def test_what_fails_at_once_goes_on_whoever_waits():
    world = failover(STORED, STORED, data=SET)
    CLIENT.waits = False
    world.set_health("a:1", False)
    assert world.answer(SET) == STORED
    assert who(world) == "b"


def test_of_a_run_only_what_failed_goes_on():
    world = failover(MISS, MISS)
    world.hosts["a:1"].says = {b"get b\r\n": SERVER_ERROR}
    world.hosts["a:1"].values, world.hosts["b:1"].values = {b"a": b"1"}, {b"a": b"2", b"b": b"2"}
    reply, outcomes = world.answer(b"get a\r\nget b\r\n")
    assert reply == hit(b"a", b"1")[0] + hit(b"b", b"2")[0]
    assert outcomes == o.VALUE * 2
    assert world.asked()["b:1"] == [b"get b\r\n"]


def test_several_keys_over_hosts():
    """All of them go on when the host fails; a miss does not."""
    world = failover(MISS, MISS)
    data = b"get a b\r\n"
    world.hosts["a:1"].says[data] = SERVER_ERROR
    world.hosts["b:1"].values = {b"b": b"2"}
    assert world.answer(data) == (block(b"b", b"2") + b"END\r\n", o.PARTIAL)


def test_several_keys_over_pools_go_key_by_key():
    pools = {"A": {"servers": ["a:1", "b:1"]}, "G": {"servers": ["g:1"]}}
    world = World({"pools": pools, "route": {"type": "FailoverRoute", "children": ["PoolRoute|A", "PoolRoute|G"]}})
    world.set_health("a:1", False)
    for host in world.hosts.values():
        host.values = {b"k%d" % i: b"v" for i in range(20)}
    world.hosts["g:1"].values[b"gone"] = b"old"
    keys = [b"k%d" % i for i in range(20)]
    reply, outcome = world.answer(b"get " + b" ".join(keys) + b"\r\n")
    assert outcome == o.VALUE and reply.count(b"VALUE") == 20
    asked = world.asked()
    assert 0 < len(asked["g:1"]) < 20 and len(asked["g:1"]) + len(asked["b:1"]) == 20


# policies ----------------------------------------------------------------------------------------------------------


def test_in_order_with_max_tries():
    world = failover(*[SERVER_ERROR] * 4, failover_policy={"type": "InOrderPolicy", "max_tries": 2})
    world.ask(GET)
    assert who(world) == "ab"


def test_unhealthy_hosts_cost_no_tries():
    world = failover(*[SERVER_ERROR] * 4, failover_policy={"type": "InOrderPolicy", "max_tries": 2})
    world.set_health("a:1", False)
    world.ask(GET)
    assert who(world) == "bc"


def test_least_failures():
    world = failover(*[SERVER_ERROR] * 4, failover_policy={"type": "LeastFailuresPolicy", "max_tries": 3})
    order = in_order(world)
    world.ask(GET)
    world.ask(GET)
    assert "".join(order) == "abc" + "adb"
    world.hosts["d:1"].says[GET] = HIT1
    world.ask(GET)
    world.ask(GET)
    assert "".join(order)[6:] == "acd" + "adb"[:2]


def test_deterministic_order():
    policy = {"type": "DeterministicOrderPolicy", "max_tries": 4, "max_error_tries": 4}
    world = failover(*[SERVER_ERROR] * 4, failover_policy=policy)
    expected, salt = [0], 2
    while len(expected) < 4:
        place = make_chooser("Ch3", [""] * 4, {}, str(salt))(b"k")
        salt += 1
        if place not in expected:
            expected.append(place)
    order = in_order(world)
    world.ask(GET)
    assert order == ["abcd"[place] for place in expected]


@pytest.mark.parametrize(("most", "errors", "count"), [(3, 2, 2), (2, 9, 2), (9, 9, 4), (1, 1, 1)])
def test_deterministic_order_ends(most, errors, count):
    policy = {"type": "DeterministicOrderPolicy", "max_tries": most, "max_error_tries": errors}
    world = failover(*[SERVER_ERROR] * 4, failover_policy=policy)
    world.ask(GET)
    assert len(who(world)) == count


def test_excluded_errors_do_not_count():
    policy = {"type": "DeterministicOrderPolicy", "max_tries": 4, "max_error_tries": 1, "exclude_errors": ["remote_error"]}
    world = failover(*[SERVER_ERROR] * 4, failover_policy=policy)
    world.ask(GET)
    assert len(who(world)) == 4


def test_rendezvous():
    world = failover(*[SERVER_ERROR] * 4, failover_policy={"type": "RendezvousPolicy", "tags": ["x", "y", "z"]})
    order = in_order(world)
    world.ask(GET)
    assert order == ["a", *("bcd"[place] for place in rendezvous_order(["x", "y", "z"], b"k"))]


def test_the_limit():
    """Of four requests in a row one may fail over."""
    world = failover(SERVER_ERROR, HIT2, failover_limit={"rate": 0.25, "burst": 1})
    answers = [world.answer(GET) for _ in range(9)]
    assert [place for place, answer in enumerate(answers) if answer == HIT2] == [0, 4, 8]


def test_the_limit_is_not_for_unhealthy_hosts():
    world = failover(SERVER_ERROR, HIT2, failover_limit={"rate": 0.1, "burst": 1})
    world.set_health("a:1", False)
    assert [world.answer(GET) for _ in range(5)] == [HIT2] * 5


WRONG = [
    ({"failover_errors": ["x"]}, "failover_errors of FailoverRoute is invalid; 'x' is not the name of an error; write some of tko,"),
    ({"failover_errors": "tko"}, "write a list of names of errors, as [timeout, tko]"),
    ({"failover_errors": {"sets": []}}, "'sets' is not a kind of operation; write gets, updates, deletes"),
    ({"failover_policy": "x"}, "write a map with a type: one of InOrderPolicy, LeastFailuresPolicy"),
    ({"failover_policy": {"type": "X"}}, "its type 'X' is not known; write one of InOrderPolicy"),
    ({"failover_policy": {"type": "LeastFailuresPolicy"}}, "max_tries is missing; add it"),
    ({"failover_limit": {"rate": 2}}, "rate is invalid; write a number from 0 to 1"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_wrong_fields(options, message):
    with pytest.raises(ConfigError) as caught:
        failover(MISS, MISS, **options)
    assert message in str(caught.value)


# FailoverWithExptimeRoute ------------------------------------------------------------------------------------------


def with_exptime(**options):
    pools = {name: {"servers": [f"{name}:1"]} for name in "ab"}
    route = {"type": "FailoverWithExptimeRoute", "normal": "PoolRoute|a", "failover": ["PoolRoute|b"], **options}
    world = World({"pools": pools, "route": route})
    world.set_health("a:1", False)
    return world


EXPTIMES = [({}, 0, 60), ({}, 30, 30), ({}, 61, 60), ({}, -1, -1), ({"failover_exptime": 5}, 0, 5), ({"failover_exptime": 1}, 0, 1), ({"failover_exptime": 1}, 9, 1),
            ({"failover_exptime": 0}, 0, 0), ({"failover_exptime": -1}, 9, 9)]


@pytest.mark.parametrize(("options", "given", "expected"), EXPTIMES)
def test_what_fails_over_lives_shortly(options, given, expected):
    world = with_exptime(**options)
    assert world.answer(b"set k 0 %d 1\r\nx\r\n" % given) == STORED
    assert world.asked() == {"b:1": [b"set k 0 %d 1\r\nx\r\n" % expected]}


def test_the_normal_one_is_asked_first_and_as_it_is():
    world = with_exptime()
    world.set_health("a:1", True)
    assert world.answer(SET) == STORED
    assert world.asked() == {"a:1": [SET]}


def test_gets_and_deletes_have_no_exptime():
    world = with_exptime()
    world.ask(GET)
    world.ask(DELETE)
    assert world.asked() == {"b:1": [GET, DELETE]}


# Latest, HostId, Random, LoadBalancer, AllMajority -------------------------------------------------------------------

TEN = {"A": {"servers": [f"h{i}:1" for i in range(10)]}}


@pytest.mark.parametrize("route", [{"type": "LatestRoute", "children": "Pool|A"}, {"type": "PoolRoute", "pool": "A", "hash": "Latest"}])
def test_latest_asks_the_same_for_all_keys_and_at_most_five(route):
    world = World({"pools": TEN, "route": route}, host_id=7)
    keys = [b"get k%d\r\n" % i for i in range(20)]
    for key in keys:
        world.ask(key)
    (first,) = world.asked()
    for host in world.hosts.values():
        host.says = dict.fromkeys(keys, SERVER_ERROR)
    for key in keys:
        world.ask(key)
    assert len(world.asked()) == 5
    others = {next(iter(_first(route, host_id))) for host_id in range(40)}
    assert first in world.hosts and len(others) > 5


def _first(route, host_id):
    world = World({"pools": TEN, "route": route}, host_id=host_id)
    world.ask(GET)
    return world.asked()


def test_latest_count_salt_and_weights():
    def order(**options):
        world = World({"pools": TEN, "route": {"type": "LatestRoute", "children": "Pool|A", **options}}, host_id=1)
        for host in world.hosts.values():
            host.says[GET] = SERVER_ERROR
        world.ask(GET)
        return set(world.asked())

    assert len(order(failover_count=2)) == 2
    assert len({frozenset(order(salt=str(i), failover_count=2)) for i in range(10)}) > 3
    assert order(weights=[0] * 9 + [1], failover_count=1) == {"h9:1"}


def test_host_id():
    for host_id in (0, 3, 13):
        world = World({"pools": TEN, "route": {"type": "HostIdRoute", "children": "Pool|A"}}, host_id=host_id)
        world.ask(GET)
        world.ask(SET)
        assert world.asked() == {f"h{host_id % 10}:1": [GET, SET]}


def test_random():
    world = World({"pools": TEN, "route": {"type": "RandomRoute", "children": "Pool|A"}})
    for _ in range(200):
        world.ask(GET)
    asked = world.asked()
    assert len(asked) == 10 and sum(map(len, asked.values())) == 200


def test_random_lets_its_child_go_on():
    pools = {"A": {"servers": ["a:1"]}, "B": {"servers": ["b:1"]}}
    inner = {"type": "MissFailoverRoute", "children": ["PoolRoute|A", "PoolRoute|B"]}
    world = World({"pools": pools, "route": {"type": "RandomRoute", "children": [inner, inner]}})
    world.hosts["b:1"].values[b"k"] = b"2"
    made = request(GET)

    class Own:
        """The request as its own sink, as the engine has it."""

    got = []
    made_type = type("Own", (type(made),), {"__slots__": (), "on_reply": lambda self, *answer: got.append(answer)})
    own = made_type(made.client, made.commands, made.data, None, made.key)
    world.route(b"get").start(own, own)
    assert got == [HIT2]


def balanced(**options):
    return World({"pools": {"A": {"servers": ["a:1", "b:1"]}}, "route": {"type": "LoadBalancerRoute", "children": "Pool|A", **options}})


def test_the_load_balancer_prefers_who_has_less_in_flight():
    world = balanced()
    for host in world.hosts.values():
        host.holds = True
    for _ in range(10):
        world.ask(GET)
    assert {name: len(asked) for name, asked in world.asked().items()} == {"a:1": 5, "b:1": 5}


def test_the_load_balancer_avoids_who_is_slow_and_tries_again_later():
    world = balanced()
    world.hosts["a:1"].holds = True
    while not world.hosts["a:1"].asked:
        world.ask(GET)
    world.pass_time(0.5)
    world.hosts["a:1"].answer()
    world.hosts["a:1"].holds = False
    world.asked()
    for _ in range(20):
        world.ask(GET)
    assert set(world.asked()) == {"b:1"}
    world.pass_time(5)
    for _ in range(20):
        world.ask(GET)
    assert set(world.asked()) == {"a:1", "b:1"}


def test_the_load_balancer_tries_as_many_as_it_is_told():
    world = balanced(failover_count=2)
    world.hosts["a:1"].says[GET], world.hosts["b:1"].says[GET] = SERVER_ERROR, HIT2
    assert [world.answer(GET) for _ in range(5)] == [HIT2] * 5
    world = balanced()
    world.hosts["a:1"].says[GET] = world.hosts["b:1"].says[GET] = SERVER_ERROR
    assert world.answer(GET) == SERVER_ERROR and len(world.asked()) == 1


MAJORITY = [
    ([HIT1, MISS, HIT2], "abc", HIT1, 3), ([HIT1, HIT2, MISS], "abc", HIT1, 2), ([MISS, HIT1, MISS], "abc", MISS, 3),
    ([SERVER_ERROR, HIT1, SERVER_ERROR], "abc", SERVER_ERROR, 3), ([HIT1, MISS, SERVER_ERROR], "abc", SERVER_ERROR, 3),
    ([HIT1, MISS], "ab", MISS, 2), ([HIT1, MISS, HIT2], "cab", HIT2, 2),
]  # fmt: skip


@pytest.mark.parametrize(("says", "order", "expected", "known"), MAJORITY)
def test_all_majority(says, order, expected, known):
    names = "abc"[: len(says)]
    hosts = {f"{name}:1": Host(f"{name}:1", says={GET: answer}, holds=True) for name, answer in zip(names, says)}
    world = World({"pools": {"A": {"servers": list(hosts)}}, "route": "AllMajorityRoute|Pool|A"}, hosts)
    sink = world.ask(GET)
    for count, name in enumerate(order):
        assert (sink.got is not None) == (count >= known)
        hosts[f"{name}:1"].answer()
    if expected in (HIT1, HIT2):
        assert sink.got[1] == o.VALUE
    else:
        assert sink.got == expected


def test_over_an_ordered_pool():
    world = World({"orderedPool": ["a:1", "b:1"], "route": {"type": "FailoverRoute", "failover_errors": ["tko"]}})
    world.set_health("a:1", False)
    assert world.answer(SET) == STORED
    assert who(world) == "b"

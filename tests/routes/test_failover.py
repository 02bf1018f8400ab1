"""FailoverRoute: the table of its docstring, its options, its order, and what it must never do."""

import itertools

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.proto.request import Request
from mcrouter.routes.failover_errors import NAMES

from .script import (
    CLIENT,
    CLIENT_ERROR,
    DELETED,
    ERROR,
    MISS,
    NOT_FOUND,
    NOT_STORED,
    SERVER_ERROR,
    STORED,
    Host,
    Sink,
    block,
    hit,
    request,
)
from .world import World

GET, SET, DELETE, INCR = b"get a\r\n", b"set a 0 0 1\r\nx\r\n", b"delete a\r\n", b"incr a 1\r\n"
MG, MS, MD = b"mg a v\r\n", b"ms a 1\r\nx\r\n", b"md a\r\n"
HIT = hit(b"a", b"1")
EN, HD = (b"EN\r\n", o.MISS), (b"HD\r\n", o.HEADER)
OURS = [o.TIMEOUT, o.LOST, o.UNAVAILABLE, o.TKO]
READS = (GET, MG)


def config(servers="abc", route="FailoverRoute", **options):
    """Hosts in order under a route."""
    children = {"type": route, "children": "Pool|A", **options}
    return {"pools": {"A": {"servers": [f"{name}:1" for name in servers]}}, "route": children}


def held(servers="abc", **options):
    """A world whose hosts answer when told."""
    return World(config(servers, **options), {f"{name}:1": Host(f"{name}:1", holds=True) for name in servers})


def below(world, verb=b"get"):
    """The route of a command, without the RootRoute above it."""
    return next(iter(world.route(verb).routes()))


def plays(world, data, answers):
    """Each host's answer in its turn: a failure's code, or what it says; the answer, and who was asked."""
    sink = world.ask(data)
    for name, says in answers:
        host = world.hosts[f"{name}:1"]
        assert sink.got is None
        if isinstance(says, bytes):
            host.fail(says)
        else:
            host.says[data] = says
            host.answer()
    return sink.got, "".join(name[0] for name in world.asked())


ANSWERS = [(GET, HIT), (GET, MISS), (GET, CLIENT_ERROR), (GET, ERROR), (SET, STORED), (SET, NOT_STORED), (DELETE, DELETED),
           (DELETE, NOT_FOUND), (MG, EN), (MS, HD), (MD, HD)]  # fmt: skip


@pytest.mark.parametrize(("data", "says"), ANSWERS)
def test_any_answer_is_the_answer(data, says):
    assert plays(held(), data, [("a", says)]) == (says, "a")


@pytest.mark.parametrize("error", [*OURS, SERVER_ERROR])
@pytest.mark.parametrize(("data", "says"), ANSWERS)
def test_after_an_error_the_next(data, says, error):
    assert plays(held(), data, [("a", error), ("b", says)]) == (says, "ab")


@pytest.mark.parametrize("data", [GET, SET, DELETE, INCR, MG, MS, MD])
@pytest.mark.parametrize("errors", list(itertools.product([*OURS, SERVER_ERROR], repeat=3)))
def test_when_all_fail(data, errors):
    world = held()
    again = [("c", o.TIMEOUT)] if data in READS and errors[-1] == o.LOST else []  # nobody else is left: it gets another try
    got, asked = plays(world, data, [*zip("abc", errors), *again])
    assert asked == "abc"
    assert got == (SERVER_ERROR if SERVER_ERROR in errors else world.hosts["a:1"].failure(errors[0]))


def test_an_unhealthy_host_is_passed_over():
    world = World(config())
    world.set_health("a:1", False)
    assert world.answer(SET) == STORED
    assert list(world.asked()) == ["b:1"]
    for name in "bc":
        world.set_health(f"{name}:1", False)
    assert world.answer(GET) == (b"SERVER_ERROR mcrouter: a:1: it is unhealthy\r\n", o.TKO)


def test_however_many_fail_at_once():
    world = World({"pools": {"A": {"servers": [f"h{number}:1" for number in range(2000)]}}, "route": "FailoverRoute|Pool|A"})
    for host in world.hosts.values():
        host.healthy = False
    assert world.answer(GET)[1] == o.TKO
    world.hosts["h1999:1"].healthy = True
    assert world.answer(GET) == MISS


def test_with_an_ordered_pool():
    world = World({"orderedPool": ["a:1", "b:1"], "route": "FailoverRoute"})
    assert world.built.plan.together
    assert world.route(b"get").direct_host(None) is world.hosts["a:1"]
    assert world.answer(GET) == MISS
    assert list(world.asked()) == ["a:1"]
    world.set_health("a:1", False)
    assert world.answer(SET) == STORED
    assert list(world.asked()) == ["b:1"]


@pytest.mark.parametrize(("servers", "answer"), [("a", STORED), ("", NOT_STORED)])
def test_one_child_is_that_child_and_none_is_null(servers, answer):
    assert World(config(servers)).answer(SET) == answer


# what fails over ----------------------------------------------------------------------------------------------------

KINDS = [(GET, "gets"), (MG, "gets"), (b"gat 0 a\r\n", "gets"), (SET, "updates"), (MS, "updates"), (DELETE, "deletes"), (MD, "deletes"),
         (INCR, "others"), (b"touch a 0\r\n", "others")]  # fmt: skip
CODES = {"s": SERVER_ERROR, "c": CLIENT_ERROR}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("code", [o.TKO, o.UNAVAILABLE, o.TIMEOUT, o.LOST, SERVER_ERROR, CLIENT_ERROR])
def test_a_list_of_errors(name, code):
    world = held(failover_errors=[name])
    sink = world.ask(SET)
    host = world.hosts["a:1"]
    if isinstance(code, bytes):
        host.fail(code)
    else:
        host.says[SET] = code
        host.answer()
    outcome = code if isinstance(code, bytes) else code[1]
    assert (sink.got is None) is (outcome in NAMES[name])


@pytest.mark.parametrize(("data", "kind"), KINDS)
@pytest.mark.parametrize("named", ["gets", "updates", "deletes"])
def test_errors_by_kind_of_operation(data, kind, named):
    world = held(failover_errors={named: ["tko"]})
    sink = world.ask(data)
    world.hosts["a:1"].fail(o.TIMEOUT)
    assert (sink.got is None) is (kind != named)


@pytest.mark.parametrize(("data", "kind"), KINDS)
def test_an_empty_list_is_never(data, kind):
    world = held(failover_errors=[])
    route = below(world, data.split()[0])
    assert type(route).__name__ == ("FailoverRoute" if kind == "others" else "HostRoute")


def test_what_is_not_to_fail_over_ends_it():
    world = held(failover_errors=["tko", "remote_error"])
    assert plays(world, GET, [("a", SERVER_ERROR), ("b", o.TIMEOUT)]) == (world.hosts["b:1"].failure(), "ab")


# runs, several keys ---------------------------------------------------------------------------------------------------


def test_of_a_run_what_failed_goes_on():
    run = b"get a\r\nget b\r\nget c\r\n"
    hosts = {"a:1": Host("a:1", {b"a": b"1"}, {b"get b\r\n": SERVER_ERROR}), "b:1": Host("b:1", {b"a": b"2", b"b": b"2"}), "c:1": Host("c:1")}
    world = World(config(), hosts)
    assert world.answer(run) == (HIT[0] + hit(b"b", b"2")[0] + MISS[0], o.VALUE + o.VALUE + o.MISS)
    assert world.asked() == {"a:1": [run], "b:1": [b"get b\r\n"]}


def test_where_gets_and_sets_differ_they_share_no_run():
    route = {"type": "FailoverRoute", "failover_errors": {"gets": ["tko"]}}
    assert not World({"orderedPool": ["a:1", "b:1"], "route": route}).built.plan.together


def test_a_get_of_several():
    hosts = {"a:1": Host("a:1", {b"a": b"1"}, holds=True), "b:1": Host("b:1", {b"b": b"2"})}
    world = World(config("ab"), hosts)
    sink = world.ask(b"get a b\r\n")
    hosts["a:1"].answer()
    assert sink.got == (HIT[0], o.PARTIAL)
    sink = world.ask(b"get a b\r\n")
    hosts["a:1"].fail()
    assert sink.got == (hit(b"b", b"2")[0], o.PARTIAL)


def test_keys_that_fail_apart_fail_over_apart():
    pools = {"A": {"servers": ["a:1", "b:1"]}, "B": {"servers": ["c:1"]}}
    values = dict.fromkeys((b"k%d" % i for i in range(20)), b"1")
    world = World({"pools": pools, "route": {"type": "FailoverRoute", "children": ["HashRoute|Pool|A", "HashRoute|Pool|B"]}},
                  {name: Host(name, dict(values)) for name in ("a:1", "b:1", "c:1")})  # fmt: skip
    world.set_health("a:1", False)
    reply, outcome = world.answer(b"get " + b" ".join(values) + b"\r\n")
    assert (reply, outcome) == (b"".join(block(key, b"1") for key in values) + b"END\r\n", o.VALUE)
    assert sorted(world.asked()) == ["b:1", "c:1"]


# the limit --------------------------------------------------------------------------------------------------------------


def test_a_limit_gives_the_error():
    world = World(config("ab", failover_limit={"rate": 0.5, "burst": 2}), {"a:1": Host("a:1", says={GET: SERVER_ERROR})})
    said = [world.answer(GET) for _ in range(8)]
    assert said == [MISS, MISS, MISS, SERVER_ERROR, MISS, SERVER_ERROR, MISS, SERVER_ERROR]


def test_an_unhealthy_host_costs_nothing_of_the_limit():
    world = World(config("ab", failover_limit={"rate": 0, "burst": 1}))
    world.set_health("a:1", False)
    assert [world.answer(GET) for _ in range(5)] == [MISS] * 5


# no host twice, no older write last -------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [GET, SET])
@pytest.mark.parametrize("error", OURS)
def test_no_host_is_asked_twice(data, error):
    world = held("ab")
    spec = {"type": "FailoverRoute", "children": ["Pool|A", "Pool|A"]}
    world = World({"pools": {"A": {"servers": ["a:1", "b:1"]}}, "route": spec}, world.hosts)
    again = [("b", error)] if data in READS and error == o.LOST else []
    assert plays(world, data, [("a", error), ("b", error), *again])[0] == world.hosts["a:1"].failure(error)


def test_the_last_one_that_loses_a_read_is_asked_once_more():
    world = held("ab")
    world.set_health("a:1", False)
    sink = world.ask(GET)
    world.hosts["b:1"].fail(o.LOST)
    world.hosts["b:1"].answer()
    assert sink.got == MISS


@pytest.fixture
def answered(monkeypatch):
    """The client has its answer already."""
    monkeypatch.setattr(CLIENT, "waits", False)


@pytest.mark.parametrize(("data", "may_ask_another_host"), [(GET, True), (SET, False), (DELETE, False), (INCR, False)])
def test_a_write_that_nobody_waits_for_fails_over_only_at_once(answered, data, may_ask_another_host):
    world = held("ab")
    world.ask(data)
    world.hosts["a:1"].fail()
    assert bool(world.hosts["b:1"].asked) is may_ask_another_host
    world.set_health("a:1", False)
    world.asked()
    world.ask(data)
    assert world.hosts["b:1"].asked == [data]


def test_a_large_value_is_not_sent_again_later():
    world = held("ab")
    asked, sink = request(SET), Sink()
    asked.large_value = object()
    world.route(b"set").start(asked, sink)
    world.hosts["a:1"].fail()
    assert sink.got == world.hosts["a:1"].failure()


# the engine's short way ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "asked"), [(o.MISS, ""), (o.TIMEOUT, "b"), (o.LOST, "b"), (o.SERVER_ERROR, "b")])
@pytest.mark.parametrize("data", [GET, SET])
def test_the_first_asked_by_others(data, code, asked):
    world = World(config())
    route = below(world, data.split()[0])
    asks, sink = request(data), Sink()
    host = route.direct_host(asks)
    assert host is world.hosts["a:1"] is route.direct_host(None)
    route.after_failure(asks, sink, host, b"x\r\n", code)
    assert "".join(name[0] for name in world.asked()) == asked
    assert (sink.got == (b"x\r\n", code)) is (asked == "")


def test_nobody_is_first_with_a_limit_or_an_unhealthy_host():
    assert below(World(config(failover_limit={"rate": 1}))).direct_host(None) is None
    world = World(config())
    world.set_health("a:1", False)
    assert below(world).direct_host(None) is None


@pytest.mark.parametrize("direct", [False, True])
def test_a_child_that_goes_on_by_itself(direct):
    pools = {"A": {"servers": ["a:1", "b:1"]}, "B": {"servers": ["c:1"]}}
    spec = {"type": "FailoverRoute", "children": [{"type": "MissFailoverRoute", "children": "Pool|A"}, "Pool|B"]}
    hosts = {"a:1": Host("a:1"), "b:1": Host("b:1", {b"a": b"1"}), "c:1": Host("c:1")}
    world = World({"pools": pools, "route": spec}, hosts)
    route, asks, sink = below(world), request(GET), Sink()
    if direct:
        route.after_failure(asks, sink, route.direct_host(asks), *MISS)
    else:
        route.start(asks, sink)
    assert sink.got == HIT
    assert not hosts["c:1"].asked


def test_a_part_has_its_origin():
    from mcrouter.routes.framework.base import part

    whole = request(b"get a b\r\n")
    one = part(whole, whole.commands, GET)
    assert isinstance(one, Request)
    assert part(one, one.commands, GET).origin is one.origin is whole


@pytest.mark.parametrize("errors", [{"gets": ["tko"]}, []])
def test_where_a_lost_connection_is_no_reason_to_fail_over_its_host_is_asked_again(errors):
    hosts = {name: Host(name, {b"a": b"1"}, holds=True) for name in ("a:1", "b:1")}
    route = {"type": "FailoverRoute", "children": ["PoolRoute|A", "PoolRoute|B"], "failover_errors": errors}
    world = World({"pools": {"A": {"servers": ["a:1"]}, "B": {"servers": ["b:1"]}}, "route": route}, hosts)
    sink = world.ask(b"get a\r\n")
    world.asked()
    hosts["a:1"].fail(o.LOST)
    assert world.asked() == {"a:1": [b"get a\r\n"]}
    hosts["a:1"].answer()
    assert sink.got == (b"VALUE a 0 1\r\n1\r\nEND\r\n", o.VALUE)

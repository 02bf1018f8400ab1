"""Whatever the hosts say and in whatever order: a run's answer is what its single commands would get, put together."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcrouter.proto import outcomes as o
from mcrouter.routes.all_fastest import AllFastestRoute
from mcrouter.routes.default import DefaultRoute
from mcrouter.routes.framework.pool import Pool
from mcrouter.routes.miss_failover import MissFailoverRoute

from .script import ERROR, MISS, NOT_STORED, SERVER_ERROR, STORED, Host, ask, block, hit, request

QUICK = settings(max_examples=300, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
ROUTES = st.sampled_from([DefaultRoute, MissFailoverRoute, AllFastestRoute])
KEYS = [b"a", b"b", b"END", b"STORED", b"VALUE"]
SINGLES = [b"get %b\r\n" % key for key in KEYS] + [b"set %b 0 0 7\r\nget a\r\n\r\n" % key for key in KEYS]
VALUES = st.sampled_from([b"", b"x", b"END\r\n", b"VALUE a 0 1\r\nx\r\nEND\r\n", b"STORED\r\n", b"v" * 40])
FATES = st.sampled_from(["answers"] * 5 + ["fails", "unhealthy"])
MOST = 3  # hosts


@st.composite
def scripts(draw):
    """What a host says to each command."""
    says = {}
    for data in SINGLES:
        if data.startswith(b"get"):
            answers = [hit(data[4:-2], draw(VALUES)), MISS, MISS, SERVER_ERROR, ERROR]
        else:
            answers = [STORED, STORED, NOT_STORED, SERVER_ERROR]
        says[data] = draw(st.sampled_from(answers))
    return says


WORLDS = st.lists(st.tuples(scripts(), FATES), max_size=MOST)
RUNS = st.lists(st.sampled_from(SINGLES), min_size=1, max_size=8)
ORDERS = st.permutations(range(MOST))


def outcome(route, world, order, data):
    """The answer to `data`, the hosts answering in this order, and what the hosts were asked."""
    hosts = []
    for number, (says, fate) in enumerate(world):
        hosts.append(Host(f"h{number}", says=says, holds=True))
        hosts[-1].healthy = fate != "unhealthy"
    sink = ask(route(Pool(hosts)), data)
    done = [0] * len(hosts)
    for _ in world:  # a walk asks the next host only after one has answered
        for number in order:
            if number < len(hosts) and len(hosts[number].asked) > done[number]:
                done[number] += 1
                hosts[number].fail() if world[number][1] == "fails" else hosts[number].answer()
    return sink.got, [host.asked for host in hosts]


@QUICK
@given(ROUTES, WORLDS, ORDERS, RUNS)
def test_a_run_is_its_commands(route, world, order, run):
    got, asked = outcome(route, world, order, b"".join(run))
    singles = [outcome(route, world, order, data) for data in run]
    assert got == (b"".join(single[0][0] for single in singles), b"".join(single[0][1] for single in singles))
    for number in range(len(world)):
        by_itself = [data for single in singles for data in single[1][number]]
        assert b"".join(asked[number]) == b"".join(by_itself) or route is AllFastestRoute
        assert len(asked[number]) <= 1


@QUICK
@given(WORLDS, ORDERS, RUNS)
def test_writes_go_once_to_each_healthy_host(world, order, run):
    _, asked = outcome(AllFastestRoute, world, order, b"".join(run))
    assert asked == [[] if fate == "unhealthy" else [b"".join(run)] for _, fate in world]


HOLDINGS = st.lists(st.tuples(st.dictionaries(st.sampled_from(KEYS), VALUES), FATES), min_size=1, max_size=MOST)


@QUICK
@given(st.sampled_from([MissFailoverRoute, AllFastestRoute]), HOLDINGS, ORDERS, st.lists(st.sampled_from(KEYS), min_size=2, max_size=6),
       st.sampled_from([b"get", b"gets", b"gat 10"]))  # fmt: skip
def test_several_keys(route, holdings, order, keys, verb):
    """Every key that any host has, in request order, from the first that had it."""
    data = b"%b %b\r\n" % (verb, b" ".join(keys))
    hosts = [Host(f"h{i}", values, holds=True) for i, (values, _) in enumerate(holdings)]
    for host, (_, fate) in zip(hosts, holdings):
        host.healthy = fate != "unhealthy"
    sink = ask(route(Pool(hosts)), data)
    turns = [i for i in order if i < len(hosts)] if route is AllFastestRoute else range(len(hosts))
    turns = [i for i in turns if hosts[i].healthy]
    found = {}
    for i in turns:
        if hosts[i].asked:
            fails = holdings[i][1] == "fails"
            hosts[i].fail() if fails else hosts[i].answer()
            if not fails:
                found = {**holdings[i][0], **found}
    known = [block(key, found[key]) for key in keys if key in found]
    assert sink.got is not None
    if known:
        assert sink.got == (b"".join(known) + b"END\r\n", o.VALUE if len(known) == len(keys) else o.PARTIAL)
    elif any(holdings[i][1] == "answers" for i in turns):
        assert sink.got == MISS
    else:
        assert sink.got[1] in o.OUR_ERRORS
    if route is MissFailoverRoute:
        for host in hosts:
            assert all(request(asked).keys() for asked in host.asked)

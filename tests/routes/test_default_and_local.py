"""DefaultRoute and LocalRoute, and what base gives them: the tables of their docstrings."""

import re

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.routes.default import DefaultRoute
from mcrouter.routes.framework.base import part, refuse
from mcrouter.routes.framework.pool import Pool, RouteDestination
from mcrouter.routes.local import LocalRoute

from .script import ERROR, MISS, NO_HEALTHY, SERVER_ERROR, STORED, Host, Sink, answer, ask, hit, request, set_health
from .world import World

RUN = b"get a\r\nset b 0 0 1\r\nx\r\n"
# (health of the hosts, which is asked)
ASKED = [("", None), ("0", None), ("1", 0), ("00", None), ("10", 0), ("01", 1), ("11", 0), ("011", 1), ("001", 2), ("101", 0)]


@pytest.mark.parametrize(("health", "asked"), ASKED)
@pytest.mark.parametrize("data", [b"get a\r\n", b"get a b a\r\n", RUN, b"delete a\r\n", b"flush_all\r\n"])
def test_default_asks_the_first_healthy_host(health, asked, data):
    hosts = [Host(str(i), {b"a": b"%d" % i}) for i in range(len(health))]
    for host, flag in zip(hosts, health):
        host.healthy = flag == "1"
    got = answer(DefaultRoute(Pool(hosts)), data)
    assert [host.asked for host in hosts] == [[data] if i == asked else [] for i in range(len(hosts))]
    if asked is None:
        count = len(request(data).commands)
        assert got == (NO_HEALTHY[0] * count, NO_HEALTHY[1] * count)
    elif data == RUN:
        value = hit(b"a", b"%d" % asked)
        assert got == (value[0] + STORED[0], value[1] + STORED[1])


@pytest.mark.parametrize("says", [MISS, ERROR, SERVER_ERROR])
def test_default_takes_whatever_the_host_says(says):
    hosts = [Host("1", says={b"get a\r\n": says}), Host("2", {b"a": b"2"})]
    assert answer(DefaultRoute(Pool(hosts)), b"get a\r\n") == says
    assert hosts[1].asked == []


@pytest.mark.parametrize("code", [o.TIMEOUT, o.LOST, o.UNAVAILABLE])
def test_default_does_not_go_on_after_an_error_of_ours(code):
    hosts = [Host("1", holds=True), Host("2")]
    sink = ask(DefaultRoute(Pool(hosts)), b"get a\r\n")
    hosts[0].fail(code)
    assert sink.got == hosts[0].failure(code)
    assert hosts[1].asked == []


def test_default_follows_the_hosts_health():
    hosts = [Host("1", {b"a": b"1"}), Host("2", {b"a": b"2"})]
    pool = Pool(hosts)
    route = DefaultRoute(pool)
    seen = []
    for host, healthy in [(hosts[0], False), (hosts[1], False), (hosts[0], True), (hosts[1], True)]:
        set_health(pool, host, healthy)
        seen.append(answer(route, b"get a\r\n"))
    assert seen == [hit(b"a", b"2"), NO_HEALTHY, hit(b"a", b"1"), hit(b"a", b"1")]


def test_pool_makes_a_new_list():
    """What is on its way keeps the hosts that were healthy when it began."""
    pool = Pool([Host("1"), Host("2")])
    before = pool.healthy
    set_health(pool, pool.hosts[0], False)
    assert [host.name for host in before] == ["1", "2"]
    assert [host.name for host in pool.healthy] == ["2"]


def test_refuse_answers_every_command():
    sink = Sink()
    refuse(request(RUN), sink, b"SERVER_ERROR no\r\n")
    assert sink.got == (b"SERVER_ERROR no\r\n" * 2, o.UNAVAILABLE * 2)


def test_part_is_on_the_clients_behalf():
    whole = request(RUN)
    made = part(whole, whole.commands[:1], b"get a\r\n", [b"a"])
    assert made.client is whole.client and made.keys() == [b"a"] and made.data == b"get a\r\n"


LOCAL = [
    (b"version\r\n", (b"VERSION 1.6.18-mcrouter-1.2.3\r\n", o.TEXT)),
    (b"verbosity 1\r\n", (b"OK\r\n", o.OK)),
    (b"mn\r\n", (b"MN\r\n", o.HEADER)),
    (b"stats\r\n", (b"STAT pid 1\r\nSTAT version 1.2.3\r\nEND\r\n", o.TEXT)),
    (b"stats some more\r\n", (b"STAT some more\r\nEND\r\n", o.TEXT)),
    (b"stats items\r\n", (b"CLIENT_ERROR bad stats command\r\n", o.CLIENT_ERROR)),
    (b"get a\r\n", (b"SERVER_ERROR mcrouter: LocalRoute does not serve get\r\n", o.UNAVAILABLE)),
    (b"get a b\r\n", (b"SERVER_ERROR mcrouter: LocalRoute does not serve get\r\n", o.UNAVAILABLE)),
    (b"set a 0 0 1\r\nx\r\n", (b"SERVER_ERROR mcrouter: LocalRoute does not serve set\r\n", o.UNAVAILABLE)),
    (b"flush_all\r\n", (b"SERVER_ERROR mcrouter: LocalRoute does not serve flush_all\r\n", o.UNAVAILABLE)),
]


def statistics(words):
    """In portions: the cost of each, and what it gives."""
    if words == ["items"]:
        return None
    return [(1, [tuple(words)])] if words else [(1, [("pid", 1)]), (1, [("version", "1.2.3")])]


@pytest.mark.parametrize(("data", "expected"), LOCAL)
def test_local(data, expected):
    assert answer(LocalRoute("1.2.3", statistics), data) == expected


def test_clients_read_the_version_as_a_memcacheds():
    # libmemcached: three numbers, the first not 0; emcache: one word
    assert re.fullmatch(rb"VERSION [1-9]\d*\.\d+\.\d+[^ ]*\r\n", answer(LocalRoute("0.1.0", statistics), b"version\r\n")[0])


def test_local_stats_are_asked_for_each_time():
    count = iter(range(9))
    route = LocalRoute("1", lambda words: [(1, [("n", next(count))])])
    assert [answer(route, b"stats\r\n")[0] for _ in range(2)] == [b"STAT n 0\r\nEND\r\n", b"STAT n 1\r\nEND\r\n"]


@pytest.mark.parametrize(("hosts", "valid"), [(0, 0.0), (200, 0.0), (201, 1.0)])
def test_an_answer_to_stats_is_shared_while_it_is_valid(hosts, valid):
    """Within a tick; with more than 200 hosts for a second."""
    computed, now = [], [100.0]
    route = LocalRoute("1", lambda words: computed.append(words) or [(1, [("a", 1)])], now=lambda: now[0], hosts=hosts)
    for later, times in [(0.0, 1), (0.0, 1), (valid, 1), (valid + 0.001, 2)]:
        now[0] = 100.0 + later
        assert answer(route, b"stats\r\n") == (b"STAT a 1\r\nEND\r\n", o.TEXT)
        assert len(computed) == times


def test_a_host_in_the_place_of_a_route_records_what_it_could_not_be_sent():
    world = World({"pools": {"A": {"servers": ["a:1", "b:1"]}}, "route": "PoolRoute|A"})
    for name in world.hosts:
        world.set_health(name, False)
    got = world.answer(b"get k\r\n")
    assert got is not None and got[1] == o.TKO
    assert sorted(host.skipped for host in world.hosts.values()) == [[], [b"get k\r\n"]]
    assert all(host.asked == [] for host in world.hosts.values())


def test_a_route_in_a_pool_is_healthy_while_one_of_its_hosts_is():
    world = World({"pools": {"A": {"servers": ["a:1", "b:1"]}, "B": {"servers": ["c:1"]}},
                   "route": "AllSyncRoute|Pool|A"})  # fmt: skip
    member = RouteDestination(world.route(b"get"))
    assert member.healthy
    assert member.journal is None
    world.hosts["b:1"].journal = "the journal"
    assert member.journal == "the journal"
    world.hosts["a:1"].healthy = False
    assert member.healthy
    world.hosts["b:1"].healthy = False
    assert not member.healthy
    assert RouteDestination(World({"pools": {}, "route": "NullRoute"}).route(b"get")).healthy

"""What is asked again when a host breaks off: the table of `ask_again`, under each route that has one host to ask."""

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.routes.all_fastest import AllFastestRoute
from mcrouter.routes.default import DefaultRoute
from mcrouter.routes.framework.pool import Pool
from mcrouter.routes.miss_failover import MissFailoverRoute

from .script import CLIENT, MISS, STORED, Host, Sink, hit, request, set_health

GET, SET = b"get a\r\n", b"set a 0 0 1\r\nx\r\n"
ROUTES = [DefaultRoute, AllFastestRoute, MissFailoverRoute]


@pytest.fixture(autouse=True)
def repeats():
    CLIENT.repeats = True
    yield
    CLIENT.repeats = True


def fail(route, hosts, data, code):
    """The first host breaks off, as the engine tells it of a request that is its own sink."""
    made, sink = request(data), Sink()
    reply, outcome = hosts[0].failure(code)
    count = len(made.commands)
    route.after_failure(made, sink, hosts[0], reply * count, outcome * count)
    return sink


@pytest.mark.parametrize("make", ROUTES)
def test_a_read_is_asked_once_more_of_the_only_host(make):
    host = Host("1", {b"a": b"1"})
    assert fail(make(Pool([host])), [host], GET, o.LOST).got == hit(b"a", b"1")
    assert host.asked == [GET]


@pytest.mark.parametrize("make", ROUTES)
def test_a_read_is_not_asked_for_ever(make):
    host = Host("1", holds=True)
    sink = fail(make(Pool([host])), [host], GET, o.LOST)
    while sink.got is None:
        host.fail(o.LOST)
    assert sink.got == host.failure(o.LOST)
    assert host.asked == [GET]


@pytest.mark.parametrize("make", ROUTES)
@pytest.mark.parametrize("data, code", [(SET, o.LOST), (GET, o.TIMEOUT), (SET, o.TIMEOUT), (GET + SET, o.LOST)])
def test_a_write_and_what_took_too_long_are_not_asked_again(make, data, code):
    host = Host("1", {b"a": b"1"})
    CLIENT.repeats = SET not in data
    failed = fail(make(Pool([host])), [host], data, code).got
    count = len(request(data).commands)
    assert failed == (host.failure(code)[0] * count, code * count)
    assert host.asked == []


@pytest.mark.parametrize("data, answer", [(GET, hit(b"a", b"2")), (SET, STORED)])
def test_what_was_never_sent_goes_to_the_host_that_is_first_by_then(data, answer):
    hosts = [Host("1"), Host("2", {b"a": b"2"})]
    pool = Pool(hosts)
    set_health(pool, hosts[0], False)
    assert fail(DefaultRoute(pool), hosts, data, o.UNAVAILABLE).got == answer


def test_what_was_never_sent_is_not_sent_to_the_same_host():
    host = Host("1")
    assert fail(DefaultRoute(Pool([host])), [host], SET, o.UNAVAILABLE).got == host.failure(o.UNAVAILABLE)


def test_a_read_that_was_lost_goes_on_to_the_next_host_when_the_first_is_down_by_then():
    hosts = [Host("1"), Host("2", {b"a": b"2"})]
    pool = Pool(hosts)
    set_health(pool, hosts[0], False)
    assert fail(DefaultRoute(pool), hosts, GET, o.LOST).got == hit(b"a", b"2")


def test_a_fresh_connection_that_is_refused_leads_on_to_the_next_host():
    hosts = [Host("1", holds=True), Host("2", {b"a": b"2"})]
    pool = Pool(hosts)
    sink = fail(DefaultRoute(pool), hosts, GET, o.LOST)
    set_health(pool, hosts[0], False)
    hosts[0].fail(o.UNAVAILABLE)
    assert sink.got == hit(b"a", b"2")


def test_a_run_is_asked_again_as_one_command_is():
    host = Host("1", {b"a": b"1"})
    assert fail(DefaultRoute(Pool([host])), [host], GET + GET, o.LOST).got == (hit(b"a", b"1")[0] * 2, o.VALUE * 2)
    hosts = [Host("1"), Host("2", {b"a": b"2"})]
    pool = Pool(hosts)
    set_health(pool, hosts[0], False)
    assert fail(DefaultRoute(pool), hosts, GET + SET, o.UNAVAILABLE).got == (hit(b"a", b"2")[0] + STORED[0], o.VALUE + o.STORED)


def test_three_hosts_are_tried_for_one_request_at_the_most():
    hosts = [Host(name, holds=True) for name in "1234"]
    pool = Pool(hosts)
    set_health(pool, hosts[0], False)
    sink = fail(DefaultRoute(pool), hosts, SET, o.UNAVAILABLE)
    for place in (1, 2):
        assert sink.got is None
        set_health(pool, hosts[place], False)
        hosts[place].fail(o.UNAVAILABLE)
    assert sink.got == hosts[2].failure(o.UNAVAILABLE)
    assert [host.asked for host in hosts] == [[], [SET], [SET], []]


def test_an_answer_is_an_answer():
    hosts = [Host("1"), Host("2", {b"a": b"2"})]
    sink = Sink()
    DefaultRoute(Pool(hosts)).after_failure(request(GET), sink, hosts[0], *MISS)
    assert sink.got == MISS

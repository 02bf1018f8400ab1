"""What all clients of an event loop share: where requests may go directly, what they cost, what is counted of them."""

from types import SimpleNamespace

import pytest

from mcrouter.engine.clients.frontend import Frontend
from mcrouter.proto import outcomes as o
from mcrouter.proto.client.parser import RunPlan
from mcrouter.proto.commands import BY_NAME, COMMANDS, READ
from mcrouter.proto.replies import NO_MEMORY
from mcrouter.proto.request import GET, SET, Request

BOUNDS = (1.0, 10.0)
BLOCK = len(BOUNDS) + 2
CLIENTS, ACCEPTED, ERRORS = 0, 1, 2


class Loop:
    """Stands still."""

    now = 5.0

    def call_later(self, seconds, call):
        return SimpleNamespace(cancel=lambda: None)

    call_soon = call_later


class Route:
    """What a frontend looks at of a route."""

    def __init__(self, host=None, keyed=False, may_ask_another_host=False, cost=1):
        self.host, self.keyed, self.may_ask_another_host, self.cost = host, keyed, may_ask_another_host, cost

    def direct_host(self, request):
        assert request is None and not self.keyed
        return self.host


class Host:
    def __init__(self, name):
        self.connections = [f"{name} 0", f"{name} 1"]


@pytest.fixture
def front():
    cells = [0.0] * (3 + BLOCK * len(COMMANDS))
    histograms = [3 + BLOCK * number for number in range(len(COMMANDS))]
    return Frontend(Loop(), cells, BOUNDS, histograms, CLIENTS, ACCEPTED, ERRORS, connections_per_host=2)


def route(front, **by_name):
    """Puts a policy into effect: a route for each command, `default` for those without their own."""
    routes = [by_name.get(command.name, by_name["default"]) for command in COMMANDS]
    front.route(routes, RunPlan(gets=True))
    return routes


# the fast path ---------------------------------------------------------------------------------------------------------


def test_each_connection_number_has_its_connection_for_each_command(front):
    a, b = Host("a"), Host("b")
    route(front, default=Route(a), get=Route(b), set=Route(None))
    for number in (0, 1):
        row = front.fast_path[number]
        assert row[GET] == f"b {number}"
        assert row[SET] is None
        assert row[BY_NAME["delete"].number] == f"a {number}"
    assert front.keyed[GET] is None


def test_a_route_that_needs_the_key_is_asked_with_it(front):
    keyed = Route(keyed=True)
    route(front, default=Route(Host("a")), get=keyed)
    assert (front.keyed[GET], front.keyed[SET]) == (keyed, None)
    assert front.fast_path[0][GET] is None


def test_while_a_host_has_to_be_told_of_missed_writes_only_reads_are_direct(front):
    keyed = Route(keyed=True)
    route(front, default=Route(Host("a")), incr=keyed, gets=keyed)
    front.refresh_fast_path(records_missed=True)
    for command in COMMANDS:
        is_direct = front.fast_path[1][command.number] is not None
        knows = front.keyed[command.number] is not None
        assert is_direct == (command.kind == READ and command.name != "gets"), command.name
        assert knows == (command.name == "gets"), command.name
    front.refresh_fast_path()
    assert front.fast_path[1][SET] == "a 1"
    assert front.keyed[BY_NAME["incr"].number] is keyed


def test_whether_requests_may_have_to_wait_for_one_another(front):
    route(front, default=Route())
    assert not front.needs_ordering
    route(front, default=Route(), delete=Route(may_ask_another_host=True))
    assert front.needs_ordering


@pytest.mark.parametrize(("cost", "weight"), [(0, 1), (1, 1), (2, 1), (3, 1), (4, 2), (9, 4)])
def test_a_command_takes_a_place_for_every_two_requests_that_it_makes(front, cost, weight):
    route(front, default=Route(), get=Route(cost=cost), delete=Route(cost=100))
    assert front.weights[GET] == weight
    assert front.run_weight == max(1, weight)
    assert front.weights[BY_NAME["delete"].number] == 50
    assert len(front.weights) == len(front.routes_by_command) == len(COMMANDS) + 3
    assert front.weights[len(COMMANDS) :] == [1, 1, 1]
    route(front, default=Route(), set=Route(cost=cost))
    assert front.run_weight == max(1, weight)


def test_a_new_plan_is_told_to_all_that_parse(front):
    parsers = [SimpleNamespace(plan=None) for _ in range(2)]
    client, call = (SimpleNamespace(stream=SimpleNamespace(parser=parser)) for parser in parsers)
    front.clients[7] = client
    front.calls = [call]
    route(front, default=Route())
    assert [parser.plan for parser in parsers] == [RunPlan(gets=True)] * 2 == [front.plan] * 2


# what the engine answers itself ----------------------------------------------------------------------------------------


class Client:
    """The source of a request that the engine answers."""

    def __init__(self, holds=True, leaves_after=99):
        self.got, self.is_drained, self.gathered, self.holds, self.leaves_after = [], False, [], holds, leaves_after

    def deliver(self, request, data):
        self.got.append(data)

    def drain(self):
        self.is_drained = True

    def awaits(self, request):
        return not self.got and len(self.gathered) < self.leaves_after

    def gather(self, request, size):
        self.gathered.append(size)

    def may_hold(self, size):
        return self.holds


@pytest.mark.parametrize(("place", "closes"), [(0, False), (1, True)])
def test_an_answer_of_the_parser_and_a_last_line(front, place, closes):
    route(front, default=Route())
    client = Client()
    request = SimpleNamespace(client=client, data=b"ERROR\r\n")
    own = front.routes_by_command[len(COMMANDS) + place]
    own.start(request, None)
    assert (client.got, client.is_drained) == ([b"ERROR\r\n"], closes)
    assert (own.may_ask_another_host, own.cost) == (False, 1)


def inquiry(front, data, client, limit=1000):
    """Answers an inquiry step by step; returns what each step cost."""
    route(front, default=Route())
    front.buffer_size = limit
    request = Request(client, bytes([GET]), data)
    return list(front.routes_by_command[-1]._answering(request))


def test_each_key_is_found_out_once_and_what_is_known_is_cheap(front):
    asked = []
    front.inquire = lambda key: asked.append(key) or (b"value of " + key, 70)
    client = Client()
    costs = inquiry(front, b"get a b a\r\n", client)
    block = b"VALUE %b 0 10\r\nvalue of %b\r\n"
    assert client.got == [block % (b"a", b"a") + block % (b"b", b"b") + block % (b"a", b"a") + b"END\r\n"]
    assert asked == [b"a", b"b"]
    assert costs == [70 + 27 // 50, 70, 10]
    assert client.gathered == [len(block % (b"a", b"a"))] * 3


def test_gets_has_a_unique(front):
    front.inquire = lambda key: (b"v", 1)
    client = Client()
    inquiry(front, b"gets a\r\n", client)
    assert client.got == [b"VALUE a 0 1 0\r\nv\r\nEND\r\n"]


def test_from_some_length_on_an_answer_says_that_it_is_too_long(front):
    front.inquire = lambda key: (b"v" * 83, 1)
    for limit, long in ((99, True), (100, False)):  # a block has 100 bytes
        client = Client()
        inquiry(front, b"get aa bb\r\n", client, limit)
        assert (b"ERROR: the answer is longer than %d bytes; ask for fewer keys at a time" % limit in client.got[0]) == long


def test_what_costs_many_bytes_costs_more(front):
    front.inquire = lambda key: (b"v" * 1000, 3)
    [cost] = inquiry(front, b"get a\r\n", Client())
    assert cost == 3 + len(b"VALUE a 0 1000\r\n\r\n" + b"v" * 1000) // 50


def test_a_client_that_leaves_in_the_midst_is_answered_nothing(front):
    asked = []
    front.inquire = lambda key: asked.append(key) or (b"v", 1)
    client = Client(leaves_after=2)
    inquiry(front, b"get a b c d\r\n", client)
    assert (asked, client.got) == ([b"a", b"b"], [])


@pytest.mark.parametrize(("is_short", "holds", "answer"), [
    (True, False, NO_MEMORY), (True, True, b"VALUE a 0 1\r\nv\r\nEND\r\n"), (False, False, b"VALUE a 0 1\r\nv\r\nEND\r\n"),
])  # fmt: skip
def test_while_memory_is_short_the_client_decides_whether_an_answer_is_held(front, is_short, holds, answer):
    front.inquire = lambda key: (b"v", 1)
    front.memory.is_short = is_short
    client = Client(holds=holds)
    inquiry(front, b"get a\r\n", client)
    assert client.got == [answer]


def test_what_is_held_of_an_answer_is_told_to_the_bound(front):
    front.inquire = lambda key: (b"v", 1)
    before = front.memory.arrived
    inquiry(front, b"get a b\r\n", Client())
    assert front.memory.arrived - before == 2 * len(b"VALUE a 0 1\r\nv\r\n")


# counting --------------------------------------------------------------------------------------------------------------


def counted(front, commands, outcomes=b"", ms=0.0):
    """Counts a request that took so long; returns by command: its histogram and the sum of its times."""
    front.count(SimpleNamespace(commands=commands, started=front.loop.now - ms / 1000), outcomes)
    found = {}
    for command in COMMANDS:
        first = front.histograms[command.number]
        cells = front.cells[first : first + BLOCK]
        if any(cells):
            found[command.name] = ([int(cell) for cell in cells[:-1]], pytest.approx(cells[-1]))
    return found


@pytest.mark.parametrize(("ms", "cells"), [(0.5, [1, 0, 0]), (5, [0, 1, 0]), (50, [0, 0, 1])])
def test_a_request_counts_in_the_bucket_of_its_time(front, ms, cells):
    assert counted(front, bytes([GET]), ms=ms) == {"get": (cells, ms)}
    assert front.cells[ERRORS] == 0


def test_each_command_of_a_run_counts(front):
    assert counted(front, bytes([GET, SET, GET]), ms=5) == {"get": ([0, 2, 0], 10), "set": ([0, 1, 0], 5)}


@pytest.mark.parametrize(("outcomes", "errors", "unserved"), [
    (b"", 0, 0), (o.VALUE, 0, 0), (o.MISS + o.STORED, 0, 0), (o.SERVER_ERROR, 1, 0), (o.TIMEOUT + o.VALUE + o.LOST, 2, 0),
    (o.TKO, 1, 1), (o.VALUE + o.TKO, 1, 1),
])  # fmt: skip
def test_errors_count_and_what_could_be_sent_to_no_host_is_told(front, outcomes, errors, unserved):
    told = []
    front.on_unserved = lambda: told.append(True)
    counted(front, bytes([GET]) * max(1, len(outcomes)), outcomes)
    assert (front.cells[ERRORS], len(told)) == (errors, unserved)

"""What is counted of a host's answers: how many, and how long each took, on a clock that only the test moves."""

import contextlib

import pytest

from mcrouter.engine.hosts.reason import Reason
from mcrouter.proto import results

from .still import Counts, Still, full, is_ready

GET, SET = b"get %b\r\n", b"set %b 0 0 1\r\nx\r\n"
HIT, MISS, STORED = b"VALUE %b 0 1\r\nx\r\nEND\r\n", b"END\r\n", b"STORED\r\n"
NOTHING = {}, 0


def asked(world, connection, moment, *requests):
    """Clients ask this at a moment, each one thing; they are returned."""
    world.pass_to(moment)
    clients = [world.client() for _ in requests]
    for client, request in zip(clients, requests):
        client.sendall(request)
        world.sees(connection, request)
    return clients


def test_answers_that_come_at_once_to_what_was_asked_at_several_times_are_counted_each_with_its_time():
    with Still() as world:
        connection = world.connection()
        clients = asked(world, connection, 0.0, GET % b"a", GET % b"b", SET % b"c")
        clients += asked(world, connection, 0.25, GET % b"d")
        clients += asked(world, connection, 0.375, SET % b"e", GET % b"f", GET % b"g")
        answers = [HIT % b"a", MISS, STORED, HIT % b"d", STORED, MISS, HIT % b"g"]
        world.pass_to(0.5)
        connection.sendall(b"".join(answers))
        for client, answer in zip(clients, answers):
            world.sees(client, answer)
        get, stored = Counts(world, "get"), Counts(world, "set")
        assert get.times("direct") == ({500.0: 2, 250.0: 1, 150.0: 2}, 1500.0)
        assert stored.times("direct") == ({500.0: 1, 150.0: 1}, 625.0)
        assert get.times("upstream") == stored.times("upstream") == get.times("request") == NOTHING
        assert (world.stats()["hits"], world.stats()["misses"], world.stats()["requests"]) == (3, 2, 7)


def test_answers_that_a_route_takes_are_counted_apart_each_with_its_time():
    with Still(2, "AllSyncRoute") as world:
        one = world.connection()
        clients = asked(world, one, 0.0, GET % b"a", SET % b"c")
        clients += asked(world, one, 0.25, GET % b"d", GET % b"e")
        world.pass_to(0.5)
        one.sendall(HIT % b"a" + STORED + MISS + HIT % b"e")
        world.until(lambda: world.stats()["requests"] == 4, "all to be counted")
        get, stored = Counts(world, "get"), Counts(world, "set")
        assert get.times("upstream") == ({500.0: 1, 250.0: 2}, 1000.0)
        assert stored.times("upstream") == ({500.0: 1}, 500.0)
        assert get.times("direct") == stored.times("direct") == get.times("request") == NOTHING
        assert (world.stats()["hits"], world.stats()["misses"]) == (2, 1)


def test_a_miss_that_goes_on_to_another_host_is_counted_for_the_first_as_what_a_route_takes():
    with Still(2, "MissFailoverRoute") as world:
        connection = world.connection()
        asked(world, connection, 0.0, GET % b"a", GET % b"b")
        world.pass_to(0.25)
        connection.sendall(MISS + HIT % b"b")
        world.until(lambda: world.stats()["requests"] == 2, "both to be counted")
        get = Counts(world, "get")
        assert get.times("upstream") == get.times("direct") == ({250.0: 1}, 250.0)
        assert (world.stats()["hits"], world.stats()["misses"]) == (1, 1)


@pytest.mark.parametrize(("request_", "answer", "hits", "misses"), [
    (b"get a b c\r\n", b"VALUE b 0 1\r\nx\r\nEND\r\n", 1, 2), (b"get a b\r\n", MISS, 0, 2),
    (b"get a\r\nget b\r\nget c\r\n", HIT % b"a" + MISS + HIT % b"c", 2, 1), (b"mg a v\r\n", b"EN\r\n", 0, 1),
    (b"mg a v\r\n", b"VA 1\r\nx\r\n", 1, 0),
])  # fmt: skip
def test_keys_that_are_asked_for_are_counted_as_hits_and_misses(request_, answer, hits, misses):
    with Still() as world:
        connection = world.connection()
        (client,) = asked(world, connection, 0.0, request_)
        world.pass_to(0.125)
        connection.sendall(answer)
        world.sees(client, answer)
        count = request_.count(b"\r\n")
        assert (world.stats()["hits"], world.stats()["misses"]) == (hits, misses)
        assert Counts(world, request_.split()[0].decode()).times("direct") == ({150.0: count}, 125.0 * count)


def test_what_a_route_answers_is_counted_with_the_time_that_it_took_in_all():
    with Still(2, "AllSyncRoute") as world:
        one, two = world.connection(0), world.connection(1)
        (client,) = asked(world, one, 0.0, GET % b"a")
        world.sees(two, GET % b"a")
        world.pass_to(0.25)
        one.sendall(HIT % b"a")
        world.until(lambda: world.stats(0)["requests"] == 1, "it to be counted")
        world.pass_to(0.375)
        two.sendall(HIT % b"a")
        world.sees(client, HIT % b"a")
        assert Counts(world, "get").times("request") == ({400.0: 1}, 375.0)
        assert Counts(world, "get", 0).times("upstream") == ({250.0: 1}, 250.0)
        assert Counts(world, "get", 1).times("upstream") == ({400.0: 1}, 375.0)


def errors(world, command):
    """How many requests by a command have failed at the host, how many of them were never sent, and how many answers to
    clients were errors."""
    layout, cells = world.router._layout, world.worker._cells
    number = layout.commands.index(command)
    return cells[layout.errors[0][number]], cells[layout.unsent[0][number]], cells[layout.request_errors]


def test_a_request_that_is_not_answered_in_time_has_failed_at_the_host():
    with Still() as world:
        connection = world.connection()
        (client,) = asked(world, connection, 0.0, GET % b"a" + GET % b"b")
        world.pass_to(0.999)
        assert errors(world, "get") == (0, 0, 0)
        world.pass_to(1.06)
        name = world.hosts[0].name.encode()
        world.sees(client, b"SERVER_ERROR mcrouter: %b: no reply within 1000 ms\r\n" % name * 2)
        assert errors(world, "get") == (2, 0, 2)


@contextlib.contextmanager
def waits_for_a_connection(world):
    """A client whose request waits for a connection, while the host has no room for one."""
    connection = world.connection()
    (engine,) = world.upstream().connections
    with full(world.hosts[0]):
        connection.close()
        world.until(lambda: not engine.is_open(), "the end to be seen")
        client = world.client()
        client.sendall(SET % b"a")
        world.until(lambda: engine.inflight, "the request to wait")
        yield client


def test_a_request_that_waits_for_a_connection_has_failed_without_being_sent_when_none_comes():
    with Still() as world, waits_for_a_connection(world) as client:
        assert errors(world, "set") == (0, 0, 0)
        world.pass_to(1.06)
        assert client.recv(1000).startswith(b"SERVER_ERROR ")
        assert errors(world, "set") == (1, 1, 1)


@pytest.mark.parametrize(("is_late", "result"), [(True, results.CONNECT_TIMEOUT), (False, results.CONNECT_ERROR)])
def test_what_waits_for_a_connection_is_counted_by_why_none_came(is_late, result):
    with Still() as world:
        with waits_for_a_connection(world) as client:
            if is_late:
                world.pass_to(1.06)
            else:
                world.upstream().mark_down(Reason.SILENT, "a test")
            world.until(lambda: is_ready(client), "an answer")
        counted = {number: world.worker._cells[cell] for number, cell in enumerate(world.router._layout.results[0])}
        assert {number for number, count in counted.items() if count} == {result}


def test_an_error_that_the_host_answers_with_is_counted_at_the_host_and_for_the_client():
    with Still() as world:
        connection = world.connection()
        (client,) = asked(world, connection, 0.0, SET % b"a" + GET % b"b" + SET % b"c")
        answers = b"SERVER_ERROR out of memory storing object\r\n" + HIT % b"b" + STORED
        connection.sendall(answers)
        world.sees(client, answers)
        assert errors(world, "set") == (1, 0, 1)
        assert errors(world, "get") == (0, 0, 1)


def test_a_no_is_counted_by_command_and_is_no_error():
    with Still() as world:
        connection = world.connection()
        (client,) = asked(world, connection, 0.0, b"add a 0 0 1\r\nx\r\n" + b"delete b\r\n" + b"delete c\r\n")
        connection.sendall(b"NOT_STORED\r\nNOT_FOUND\r\nDELETED\r\n")
        world.sees(client, b"NOT_STORED\r\nNOT_FOUND\r\nDELETED\r\n")
        layout, cells = world.router._layout, world.worker._cells
        refused = {name: cells[cell] for name, cell in zip(layout.commands, layout.refused[0]) if cells[cell]}
        assert refused == {"add": 1, "delete": 1}
        assert errors(world, "add") == errors(world, "delete") == (0, 0, 0)

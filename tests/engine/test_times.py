"""When a host is probed, connected to again and given up, to the moment, on a clock that only the test moves."""

import contextlib

import pytest

from mcrouter.engine.hosts.reason import Reason

from .still import Still, full, is_ready

ASKED, VERSION = b"version\r\n", b"VERSION 1.6\r\n"
INTERVAL = 32.0


@contextlib.contextmanager
def probed(**settings):
    """A router whose only host is visited for the first time: it, the host, the connection for requests, the visit's."""
    with Still(**{"healthcheck_interval": INTERVAL, **settings}) as world:
        (host,) = world.hosts
        both = [world.accept(host), world.accept(host)]
        visit = world.until(lambda: next((sock for sock in both if is_ready(sock)), None), "a visit")
        (connection,) = (sock for sock in both if sock is not visit)
        world.sees(visit, ASKED)
        yield world, host, connection, visit


def visited_after(world, visit, seconds):
    """The host is asked for its version in so many seconds, on a connection that is there."""
    world.happens_after(seconds, lambda: is_ready(visit), "a visit")
    world.sees(visit, ASKED)


def answers(world, sock):
    """The host answers a visit; the router has seen that."""
    timers = world.until(lambda: world.upstream().prober is not None, "a prober")
    assert timers
    sock.sendall(VERSION)
    world.until(lambda: not is_ready(world.upstream().prober.wire.sock), "the answer to be read")


def comes_after(world, host, seconds):
    """A connection is opened in so many seconds."""
    world.happens_after(seconds, lambda: is_ready(host.listener), "a connection")
    return world.accept(host)


def is_down(world):
    """Whether the host is given up."""
    return not world.stats()["healthy"]


def fails(world, sock):
    """The host closes the connection of a visit in the place of an answer."""
    before = failures(world)
    world.sees(sock, ASKED)
    sock.close()
    world.until(lambda: failures(world) > before, "the end to be seen")


def failures(world):
    """Failures in a row of a host that is given up."""
    return world.worker._cells[world.router._layout.failures[0]]


@pytest.mark.parametrize(("most", "pause"), [(True, INTERVAL), (False, 0.9 * INTERVAL)])
def test_a_healthy_host_is_visited_once_an_interval_or_a_little_more_often(most, pause):
    with probed() as (world, _, _, visit):
        world.chance.most = most
        answers(world, visit)
        for _ in range(3):
            visited_after(world, visit, pause)
            answers(world, visit)
        assert not is_down(world)


@pytest.mark.parametrize(("settings", "pauses"), [
    ({}, [1, 2, 4, 8, 16, 32, 32, 32]),
    ({"probe_timeout_initial": 3000}, [3, 6, 12, 24, 32, 32]),
    ({"probe_timeout_max": 5000}, [1, 2, 4, 5, 5, 5]),
    ({"probe_timeout_initial": 64_000}, [64, 64, 64]),
    ({"probe_timeout_initial": 500, "probe_timeout_max": 64_000}, [0.5, 1, 2, 4, 8, 16, 32, 64, 64]),
])  # fmt: skip
def test_a_host_that_is_away_is_visited_less_and_less_often(settings, pauses):
    with probed(**settings) as (world, host, connection, visit):
        visit.close()
        world.until(lambda: is_down(world), "the host to be given up")
        world.is_closed(connection)
        for pause in pauses:
            fails(world, comes_after(world, host, pause))


def test_a_host_that_is_given_up_for_what_it_did_to_requests_is_visited_soon_and_then_less_and_less_often():
    with probed() as (world, host, _, visit):
        answers(world, visit)
        world.pass_to(10.0)
        world.upstream().mark_down(Reason.TIMEOUTS, "a test")
        visited_after(world, visit, 1.0)
        visit.close()
        world.until(lambda: failures(world) > 1, "the end to be seen")
        for pause in (2, 4, 8):
            fails(world, comes_after(world, host, pause))


def test_a_host_that_is_back_is_visited_once_an_interval():
    with probed() as (world, host, _, visit):
        visit.close()
        world.until(lambda: is_down(world), "the host to be given up")
        visit = comes_after(world, host, 1.0)
        world.sees(visit, ASKED)
        answers(world, visit)
        assert not is_down(world)
        world.accept(host)
        visited_after(world, visit, INTERVAL)


def test_a_host_that_goes_soon_after_it_came_back_must_answer_twice():
    with probed() as (world, host, _, visit):
        for answer_count in (1, 2, 3):
            visit.close()
            world.until(lambda: is_down(world), "the host to be given up")
            visit = comes_after(world, host, 1.0)
            world.sees(visit, ASKED)
            for number in range(1, answer_count):
                answers(world, visit)
                assert is_down(world)
                visited_after(world, visit, 2.0**number)
            answers(world, visit)
            assert not is_down(world)
            world.accept(host)
            visited_after(world, visit, INTERVAL)


def test_a_visit_that_is_not_answered_is_over_after_the_timeout():
    with probed(timeout_ms=3000) as (world, host, _, visit):
        world.happens_after(3.0, lambda: is_down(world), "the host to be given up")
        world.is_closed(visit)
        fails(world, comes_after(world, host, 1.0))


def test_a_visit_whose_connection_does_not_come_about_is_over_after_the_timeout():
    with probed() as (world, host, _, visit):
        answers(world, visit)
        with full(host):
            visit.close()
            world.until(lambda: world.upstream().prober.wire.fd < 0, "the end to be seen")
            world.happens_after(INTERVAL + 1.0, lambda: is_down(world), "the host to be given up")


def test_a_host_that_hangs_up_at_once_is_connected_to_less_and_less_often():
    with probed(healthcheck_interval=1000.0) as (world, host, connection, visit):
        answers(world, visit)
        hang_up(world, connection)
        hang_up(world, world.accept(host))
        for pause in (0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0):
            hang_up(world, comes_after(world, host, pause))
        connection = comes_after(world, host, 2.0)
        gets_a_miss(world, world.client(), connection)
        hang_up(world, connection)  # it has answered: it is connected to again at once
        world.accept(host)


def test_chance_shortens_the_pause_before_the_next_connection_by_half_at_most():
    with probed(healthcheck_interval=1000.0) as (world, host, connection, visit):
        answers(world, visit)
        world.chance.most = False
        hang_up(world, connection)
        hang_up(world, world.accept(host))
        for pause in (0.05, 0.1, 0.2):
            hang_up(world, comes_after(world, host, pause))


def gets_a_miss(world, client, connection):
    """A request is answered over this connection."""
    client.sendall(b"get a\r\n")
    world.sees(connection, b"get a\r\n")
    connection.sendall(b"END\r\n")
    world.sees(client, b"END\r\n")


def ask_in_vain(world, connection):
    """A client asks what is not answered on this connection."""
    client = world.client()
    client.sendall(b"get a\r\n")
    world.sees(connection, b"get a\r\n")
    return client


def test_a_host_is_given_up_with_the_last_of_so_many_timeouts_in_a_row():
    with Still(timeouts_until_tko=3) as world:
        connection = world.connection()
        for moment in (0.0, 0.25, 0.5):
            world.pass_to(moment)
            ask_in_vain(world, connection)
        for moment, down in ((1.2, False), (1.45, False), (1.7, True)):
            world.pass_to(moment)
            assert is_down(world) is down
        world.is_closed(connection)


def test_an_answer_between_two_timeouts_begins_their_count_anew():
    with Still(timeouts_until_tko=2) as world:
        connection = world.connection()
        ask_in_vain(world, connection)
        world.pass_to(1.1)
        connection.sendall(b"END\r\n")  # too late: no sign of health
        world.until(lambda: not world.upstream().connections[0].inflight, "it to be read")
        gets_a_miss(world, world.client(), connection)
        ask_in_vain(world, connection)
        world.pass_to(2.3)
        assert not is_down(world)
        ask_in_vain(world, connection)
        world.pass_to(3.5)
        assert is_down(world)


def test_a_connection_on_which_nothing_is_answered_is_replaced_though_another_to_the_host_is_well():
    with Still(timeouts_until_tko=2, upstream_connections=2) as world:
        (host,) = world.hosts
        socks = [world.accept(host) for _ in range(3)]
        well, hung = (next(sock for sock in socks if sock.getpeername() == connection.wire.sock.getsockname()) for connection in world.upstream().connections)
        (visit,) = (sock for sock in socks if sock not in (well, hung))
        world.sees(visit, ASKED)
        answers(world, visit)
        clients = [world.client() for _ in range(2)]
        world.until(lambda: all(connection.is_open() for connection in world.upstream().connections), "the connections to be up")
        first = world.frontend_connection(clients[0])
        good, bad = clients if first == 0 else clients[::-1]
        for moment in (0.0, 0.25):
            world.pass_to(moment)
            bad.sendall(b"get a\r\n")
            world.sees(hung, b"get a\r\n")
        for moment in (0.5, 0.75, 1.0, 1.1, 1.2):
            world.pass_to(moment)
            gets_a_miss(world, good, well)
        assert not is_ready(hung)
        world.pass_to(1.35)
        world.is_closed(hung)
        assert not is_down(world)
        world.accept(host)


def test_a_host_that_is_back_is_connected_to_at_once_whatever_pause_there_was():
    with probed() as (world, host, connection, visit):
        answers(world, visit)
        hang_up(world, connection)
        hang_up(world, world.accept(host))  # the next attempt is 0.1 s away
        visit.close()
        world.until(lambda: world.upstream().prober.wire.fd < 0, "the end to be seen")
        world.upstream().mark_down(Reason.SILENT, "a test")
        visit = comes_after(world, host, 1.0)
        world.sees(visit, ASKED)
        answers(world, visit)
        connection = world.accept(host)
        gets_a_miss(world, world.client(), connection)


def rejoins(world, visit):
    """What the host is told on a visit after its version, if anything."""
    visit.settimeout(0)
    try:
        return visit.recv(1000)
    except BlockingIOError:
        return b""


@pytest.mark.parametrize("closes", [True, False])
def test_the_keys_of_writes_are_deleted_when_what_a_lost_connection_has_carried_is_done_or_too_old(closes):
    with Still(2, "AllSyncRoute", on_rejoin="replay", probe_timeout_initial=1000) as world:
        connection, other = world.connection(0), world.connection(1)
        client = world.client()
        client.sendall(b"set a 0 0 1\r\nx\r\n")
        for sock in (connection, other):
            world.sees(sock, b"set a 0 0 1\r\nx\r\n")
        other.sendall(b"STORED\r\n")
        (engine,) = world.upstream().connections
        world.upstream().mark_down(Reason.SILENT, "a test")
        assert not engine.is_open()
        world.is_closed(connection)  # for writing: it may still be answered, and is not looked at
        visit = world.visits[0]
        visited_after(world, visit, 1.0)
        answers(world, visit)
        world.pass_to(59.9)
        assert rejoins(world, visit) == b""
        if closes:
            connection.close()
            world.until(lambda: not world.upstream().lingering, "the end to be seen")
            world.pass_to(59.95)
        else:
            world.pass_to(60.1)
        visit.settimeout(10)
        world.sees(visit, b"delete a\r\n")


def hang_up(world, connection):
    """The host closes the connection for requests; the router has seen that."""
    (engine,) = world.upstream().connections
    world.until(engine.is_open, "the connection to be up")
    connection.close()
    world.until(lambda: not engine.is_open(), "the end to be seen")

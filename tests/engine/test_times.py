"""When a host is probed, connected to again and given up, to the moment, on a clock that only the test moves."""

import contextlib

import pytest

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
        (lane,) = (sock for sock in both if sock is not visit)
        world.sees(visit, ASKED)
        yield world, host, lane, visit


def visited_after(world, visit, seconds):
    """The host is asked for its version in so many seconds, on a connection that is there."""
    world.happens_after(seconds, lambda: is_ready(visit), "a visit")
    world.sees(visit, ASKED)


def answers(world, sock):
    """The host answers a visit; the router has seen that."""
    timers = world.until(lambda: world.upstream().prober is not None, "a prober")
    assert timers
    sock.sendall(VERSION)
    world.until(lambda: not is_ready(world.upstream().prober.sock), "the answer to be read")


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
    return world.shard._cells[world.router._layout.failures[0]]


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
    with probed(**settings) as (world, host, lane, visit):
        visit.close()
        world.until(lambda: is_down(world), "the host to be given up")
        world.is_closed(lane)
        for pause in pauses:
            fails(world, comes_after(world, host, pause))


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
            world.until(lambda: world.upstream().prober.fd < 0, "the end to be seen")
            world.happens_after(INTERVAL + 1.0, lambda: is_down(world), "the host to be given up")


def test_a_host_that_hangs_up_at_once_is_connected_to_less_and_less_often():
    with probed(healthcheck_interval=1000.0) as (world, host, lane, visit):
        answers(world, visit)
        hang_up(world, lane)
        hang_up(world, world.accept(host))
        for pause in (0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0):
            hang_up(world, comes_after(world, host, pause))
        lane = comes_after(world, host, 2.0)
        gets_a_miss(world, world.client(), lane)
        hang_up(world, lane)  # it has answered: it is connected to again at once
        world.accept(host)


def test_chance_shortens_the_pause_before_the_next_connection_by_half_at_most():
    with probed(healthcheck_interval=1000.0) as (world, host, lane, visit):
        answers(world, visit)
        world.chance.most = False
        hang_up(world, lane)
        hang_up(world, world.accept(host))
        for pause in (0.05, 0.1, 0.2):
            hang_up(world, comes_after(world, host, pause))


def gets_a_miss(world, client, lane):
    """A request is answered over this connection."""
    client.sendall(b"get a\r\n")
    world.sees(lane, b"get a\r\n")
    lane.sendall(b"END\r\n")
    world.sees(client, b"END\r\n")


def hang_up(world, lane):
    """The host closes the connection for requests; the router has seen that."""
    (engine,) = world.upstream().lanes
    world.until(engine.is_up, "the connection to be up")
    lane.close()
    world.until(lambda: not engine.is_up(), "the end to be seen")

"""How long clients are kept that say nothing, or that are too many, to the moment, on a clock that only the test moves."""

import socket

import pytest

from .still import Still, is_ready


def test_a_client_that_says_nothing_is_closed_between_its_time_and_a_quarter_more():
    with Still(client_idle_timeout=8.0) as world:
        world.connection()
        world.pass_to(0.5)
        client = world.client()
        world.happens_after(9.5, lambda: is_ready(client), "the end")
        world.is_closed(client)


@pytest.mark.parametrize("said", [b"get a", b"x\r\n", b"get a\r\n"])
def test_a_client_that_says_something_begins_its_time_anew(said):
    with Still(client_idle_timeout=8.0) as world:
        connection = world.connection()
        client = world.client()
        world.pass_to(5.0)
        client.sendall(said)
        (one,) = world.worker.frontend.clients.values()
        if said == b"x\r\n":
            world.sees(client, b"ERROR\r\n")
        elif said.endswith(b"\n"):
            world.sees(connection, said)
            connection.sendall(b"END\r\n")
            world.sees(client, b"END\r\n")
        else:
            world.until(lambda: one.stream.size() > 0, "it to be read")
        world.pass_to(13.9)
        assert not is_ready(client)
        world.pass_to(14.1)
        world.is_closed(client)


def test_a_client_whose_request_is_under_way_is_not_idle():
    with Still(client_idle_timeout=0.5, timeout_ms=5000) as world:
        connection = world.connection()
        client = world.client()
        client.sendall(b"get a\r\n")
        world.sees(connection, b"get a\r\n")
        world.pass_to(4.5)
        assert not is_ready(client)
        connection.sendall(b"END\r\n")
        world.sees(client, b"END\r\n")
        world.pass_to(5.2)
        world.is_closed(client)


def test_a_client_too_many_has_a_second_to_read_that():
    with Still(max_connections=1) as world:
        world.connection()
        world.client()
        with socket.create_connection(world.worker.frontend.listeners[0].sock.getsockname()) as refused:
            refused.settimeout(10)
            world.sees(refused, b"SERVER_ERROR mcrouter: too many connections\r\n")
            world.is_closed(refused)  # for writing; what the client says is still read
            world.pass_to(0.99)
            assert not is_reset(world, refused)
            world.pass_to(1.01)
            assert is_reset(world, refused)


def is_reset(world, sock):
    """Whether the router has forgotten the connection: what is sent to it is refused."""
    for _ in range(3):
        try:
            sock.send(b"get a\r\n")
        except (ConnectionResetError, BrokenPipeError):
            return True
        world.tick()
    return False


def test_that_no_client_can_be_accepted_is_logged_once_and_that_all_are(caplog):
    caplog.set_level("INFO")
    with Still() as world:
        world.connection()
        frontend = world.worker.frontend
        frontend.most_descriptors, most = 0, frontend.most_descriptors
        with socket.create_connection(frontend.listeners[0].sock.getsockname()):
            world.until(lambda: "cannot accept clients" in caplog.text, "it to be refused")
            for moment in (1.0, 2.0, 3.0):
                world.pass_to(moment)
            assert not frontend.clients
            frontend.most_descriptors = most
            world.pass_to(4.0)
            world.until(lambda: "all clients that waited are accepted" in caplog.text, "it to be accepted")
            assert len(frontend.clients) == 1 and caplog.text.count("cannot accept clients") == 1

"""Clients in flight when a connection breaks: reads are asked again, writes are answered with one error line."""

import threading

import pytest

from tests.support.processes import until

from .hosts import LineHost, client, router

VALUE = b"VALUE a 0 1\r\n1\r\nEND\r\n"
GET, SET, QUIT = b"get a\r\n", b"set a 0 0 1\r\nx\r\n", b"quit\r\n"
LOST = b": closed by the host\r\n"


class Once:
    """Says something else the first time."""

    def __init__(self, first, later):
        self.answers = [first]
        self.later = later

    def __call__(self, _line):
        return self.answers.pop() if self.answers else self.later


@pytest.mark.parametrize("first", [None, b"VALUE b 0 1\r\n1\r\nEND\r\n", b"what?\r\n", b"END\r\nEND\r\nEND\r\n"])
def test_a_read_is_tried_once_more_on_a_fresh_connection(first):
    with LineHost(Once(first, VALUE)) as host, router(host) as served, client(served) as wire:
        if first is None or not first.startswith(b"END"):
            assert wire.send(GET).read_until(b"END\r\n") == VALUE
            assert host.asked == [GET, GET]
        else:  # the answer came; what came after it breaks the connection, and not the next request
            assert wire.send(GET).read_until(b"END\r\n") == b"END\r\n"
        assert wire.send(GET).read_until(b"END\r\n") == VALUE


def test_a_read_whose_host_hangs_up_twice_gets_one_error():
    with LineHost(lambda line: None) as host, router(host) as served, client(served) as wire:
        answer = wire.send(GET + QUIT).read_to_close()
    assert answer.startswith(b"SERVER_ERROR mcrouter: ") and answer.endswith(LOST) and answer.count(b"\n") == 1
    assert host.asked == [GET, GET]


@pytest.mark.parametrize("data, asked", [(SET, [SET]), (b"incr a 1\r\n", [b"incr a 1\r\n"])])
def test_a_write_is_not_tried_again(data, asked):
    with LineHost(Once(None, b"STORED\r\n")) as host, router(host) as served, client(served) as wire:
        answer = wire.send(data + QUIT).read_to_close()
    assert answer.startswith(b"SERVER_ERROR mcrouter: ") and answer.endswith(LOST) and answer.count(b"\n") == 1
    assert host.asked == asked


def test_a_read_is_not_tried_again_when_its_client_has_sent_a_write_behind_it():
    with LineHost(Once(None, VALUE)) as host, router(host) as served, client(served) as wire:
        answers = wire.send(GET + b"delete a\r\n").read_until(LOST) + wire.read_until(LOST)
    assert answers.count(b"SERVER_ERROR") == 2
    assert host.asked[0] == GET and host.asked.count(GET) == 1


def test_under_miss_failover_the_next_host_answers():
    first, second = LineHost(lambda line: None), LineHost(lambda line: VALUE)
    with first, second, router(first, second, route="MissFailoverRoute") as served, client(served) as wire:
        assert wire.send(GET).read_until(b"END\r\n") == VALUE
    assert (first.asked, second.asked) == ([GET], [GET])


def test_what_could_not_be_sent_in_time_is_not_sent_later():
    host = LineHost(lambda line: b"STORED\r\n" if line.startswith(b"set") else VALUE)
    with host, router(host, timeout_ms=700, timeouts_until_tko=100) as served, client(served) as wire:
        assert wire.send(GET).read_until(b"END\r\n") == VALUE
        connection = served._worker._policy.hosts[f"127.0.0.1:{host.port}"].connections[0]
        told = threading.Event()

        def keep_it_closed():
            connection.failures = 100  # so that the next attempt is a second away
            connection.restart("a test")
            told.set()

        served._worker.loop.call_soon_threadsafe(keep_it_closed)
        assert told.wait(10)
        assert b"no reply within 700 ms" in wire.send(SET).read_until(b"\n")
        until(lambda: wire.send(GET).read_until(b"\n") == b"VALUE a 0 1\r\n")
    assert SET not in host.asked

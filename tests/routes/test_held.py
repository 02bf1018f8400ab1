"""A large reply that is held back until it is known to be the answer."""

import pytest

from mcrouter.routes.framework.held import Held


class Connection:
    """Records what is done with it."""

    def __init__(self):
        self.reader, self.calls = None, []

    def take(self, reader):
        self.reader = reader

    def resume(self):
        self.calls.append("resume")

    def close(self):
        self.calls.append("close")


class Reader:
    """Records what it is given."""

    def __init__(self, room=True):
        self.room, self.got = room, []

    def piece(self, data):
        self.got.append(data)

    def can_take(self):
        return self.room

    def ended(self, tail):
        self.got.append(("ended", tail))

    def broken(self):
        self.got.append("broken")


@pytest.fixture
def connection():
    return Connection()


@pytest.fixture
def held(connection):
    return Held(connection)


def test_it_takes_the_connection_and_stops_its_data(connection, held):
    assert connection.reader is held and connection.calls == []
    assert held.can_take() is False


@pytest.mark.parametrize("name", ["drop", "close"])
def test_a_reply_that_is_not_wanted_closes_the_connection(connection, held, name):
    getattr(held, name)()
    assert connection.calls == ["close"]


def test_the_reader_gets_what_has_come_and_what_comes_later(connection, held):
    held.piece(b"VALUE k 0 9\r\n")
    held.piece(b"abc")
    reader = Reader()
    held.take(reader)
    assert reader.got == [b"VALUE k 0 9\r\nabc"] and connection.calls == ["resume"]
    held.piece(b"def")
    held.ended(b"ghi\r\nEND\r\n")
    assert reader.got[1:] == [b"def", ("ended", b"ghi\r\nEND\r\n")]


def test_changes_rewrite_the_beginning_in_order(held):
    held.piece(b"x")
    held.begin_with(lambda head: head + b"1")
    held.begin_with(lambda head: head + b"2")
    reader = Reader()
    held.take(reader)
    held.piece(b"y")
    assert reader.got == [b"x12", b"y"]


@pytest.mark.parametrize("room", [True, False])
def test_the_reader_says_whether_there_is_room(connection, held, room):
    held.take(Reader(room))
    assert held.can_take() is room
    held.resume()
    assert connection.calls == ["resume", "resume"]


def test_a_connection_that_breaks_while_the_reply_is_held_is_broken_for_its_reader(connection, held):
    held.piece(b"x")
    held.broken()
    reader = Reader()
    held.take(reader)
    assert reader.got == [b"x", "broken"] and connection.calls == []


def test_a_connection_that_breaks_later_is_broken_at_once(held):
    reader = Reader()
    held.take(reader)
    held.broken()
    assert reader.got == [b"", "broken"]

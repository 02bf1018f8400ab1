"""A large value on its way, piece by piece, between a client and the hosts that a route has chosen, all of them scripted."""

from types import SimpleNamespace

import pytest

from mcrouter.engine.clients import large_values as module
from mcrouter.engine.clients.large_values import Download, Upload
from mcrouter.proto import outcomes as o
from mcrouter.proto.commands import BY_NAME
from mcrouter.proto.request import Request
from tests.proto.feeding import request as parsed

BAD_CHUNK = b"CLIENT_ERROR bad data chunk\r\n"


class Client:
    """A client's connection; it notes what it is told."""

    connection_number, can_wait, is_background = 0, True, False

    def __init__(self):
        self.told, self.over, self.later, self.put_out, self.unsent, self.gone = [], [], 0, [], b"", False
        self.aborted = 0
        self.loop = SimpleNamespace(now=7.0, call_soon=lambda call: self.soon.append(call))
        self.soon = []

    @property
    def owner(self):
        return self

    def transferred(self, request, reply, outcomes):
        self.told.append((reply, outcomes))

    def transfer_over(self, transfer):
        self.over.append(transfer)

    def read_more_later(self):
        self.later += 1

    def put(self, data):
        self.put_out.append(data)

    def is_gone(self):
        return self.gone

    def abort(self):
        self.aborted += 1
        self.gone = True

    def fail(self, request, reply, outcomes):
        raise AssertionError("an unexpected error")


class Connection:
    """A host's connection for one large value."""

    def __init__(self, transfer, holds=0):
        self.transfer, self.sent, self.unsent, self.gave_up, self.closed, self.held = transfer, [], b"", [], 0, holds
        self.taken = self.resumed = 0
        self.begun_with = []

    def serves(self, transfer):
        return self.transfer is transfer

    def send(self, data):
        self.sent.append(data)

    def give_up(self, why):
        self.gave_up.append(why)
        self.transfer = None

    def close(self):
        self.closed += 1

    def holds(self):
        return self.held

    def take(self, reader):
        self.taken += 1

    def resume(self):
        self.resumed += 1

    def begin_with(self, change):
        self.begun_with.append(change)


class Route:
    """Asks so many hosts when it is started; `asked` are the requests and their sinks."""

    def __init__(self, hosts=1):
        self.hosts, self.asked, self.connections = hosts, [], []

    def start(self, request, sink):
        transfer = request.large_value
        assert transfer.may_start()
        self.asked.append((request, sink))
        self.connections = [Connection(transfer) for _ in range(self.hosts)]
        transfer.connections += self.connections


@pytest.fixture
def upload(monkeypatch):
    """An upload of so many bytes, the end of the block included, that begins once 10 have come."""
    monkeypatch.setattr(module, "_FIRST", 10)

    def make(size, hosts=1):
        client, route = Client(), Route(hosts)
        request = parsed(b"set a 0 0 0\r\n\r\n")
        request.client, request.large_value = client, size
        made = Upload(client, request, route)
        made.client, made.route = client, route
        assert request.large_value is made
        return made

    return make


def sent(upload):
    """What each host was sent."""
    return [b"".join(connection.sent) for connection in upload.route.connections]


# uploads ----------------------------------------------------------------------------------------------------------------


def test_hosts_are_asked_once_enough_has_come(upload):
    one = upload(22, hosts=2)
    assert (one.wanted(), one.held_back(), one.holds(), one.may_start()) == (22, 0, 0, True)
    assert one.feed(b"x" * 9) == b""
    assert (one.wanted(), one.held_back(), one.holds(), one.may_start(), one.route.asked) == (13, 9, 9, True, [])
    one.feed(b"y")
    assert len(one.route.asked) == 1
    assert sent(one) == [b"x" * 9 + b"y"] * 2
    assert (one.wanted(), one.held_back(), one.holds(), one.may_start()) == (12, 0, 0, False)
    one.feed(b"z" * 3)
    assert sent(one) == [b"x" * 9 + b"yzzz"] * 2
    assert len(one.route.asked) == 1


def test_a_short_rest_is_enough_when_it_is_all(upload):
    one = upload(5)
    assert not one.is_fed()
    assert one.feed(b"abc\r\nget b\r\n") == b"get b\r\n"
    assert (sent(one), one.is_fed(), one.wanted()) == ([b"abc\r\n"], True, 0)


@pytest.mark.parametrize("cut", range(10, 22))
def test_the_end_is_sent_when_it_is_known_to_be_one(upload, cut):
    one = upload(22)
    value = b"0123456789abcdefghij\r\n"
    one.feed(value[:cut])
    assert sent(one) == [value[: min(cut, 20)]]
    assert one.holds() == max(0, cut - 20)
    one.feed(value[cut:])
    assert sent(one) == [value]
    assert one.holds() == 0


@pytest.mark.parametrize("cut", [12, 20, 21])
@pytest.mark.parametrize("end", [b"xx", b"\rx", b"x\n", b"\n\r"])
def test_a_value_that_does_not_end_where_it_should_reaches_no_host(upload, cut, end):
    one = upload(22, hosts=2)
    value = b"0123456789abcdefghij" + end
    one.feed(value[:cut])
    one.feed(value[cut:])
    assert all(len(data) <= 20 for data in sent(one))
    assert [connection.gave_up for connection in one.route.connections] == [["the value does not end where its length says"]] * 2
    assert (one.client.told, one.client.over) == ([(BAD_CHUNK, o.CLIENT_ERROR)], [one])


def test_an_answer_that_came_before_stays_the_answer_to_it(upload):
    one = upload(22)
    one.feed(b"x" * 12)
    one.on_reply(b"SERVER_ERROR no\r\n", o.SERVER_ERROR)
    one.feed(b"x" * 10)
    assert one.client.told == [(b"SERVER_ERROR no\r\n", o.SERVER_ERROR)]


def test_nothing_is_read_while_a_host_has_not_taken_the_last_piece(upload):
    one = upload(100, hosts=2)
    one.feed(b"x" * 20)
    one.route.connections[1].unsent = b"xxxx"
    assert (one.wanted(), one.holds()) == (0, 4)
    one.route.connections[1].transfer = None  # it has been given up
    assert (one.wanted(), one.holds()) == (80, 0)
    one.feed(b"y")
    assert sent(one) == [b"x" * 20 + b"y", b"x" * 20]


def test_the_client_is_answered_with_the_first_answer_once_all_has_come(upload):
    one = upload(22, hosts=2)
    one.feed(b"x" * 12)
    one.on_reply(b"STORED\r\n", o.STORED)
    one.on_reply(b"SERVER_ERROR no\r\n", o.SERVER_ERROR)
    assert (one.client.told, one.client.over, one.client.later) == ([], [], 1)
    one.feed(b"x" * 8 + b"\r\n")
    assert (one.client.told, one.client.over) == ([(b"STORED\r\n", o.STORED)], [])
    one.route.connections[0].transfer = None
    one.resume()
    assert one.client.over == []
    one.route.connections[1].transfer = None
    one.resume()
    assert (one.client.told, one.client.over, one.client.later) == ([(b"STORED\r\n", o.STORED)], [one], 3)


def test_an_unexpected_error_is_the_answer_if_there_is_none(upload):
    one = upload(5)
    one.feed(b"abc\r\n")
    one.fail(None, b"SERVER_ERROR bug\r\n", o.SERVER_ERROR)
    one.fail(None, b"SERVER_ERROR other\r\n", o.SERVER_ERROR)
    assert one.client.told == [(b"SERVER_ERROR bug\r\n", o.SERVER_ERROR)]
    assert one.client.later == 2


@pytest.mark.parametrize("is_whole", [False, True])
def test_what_can_be_whole_is_whole_though_the_client_has_closed(upload, is_whole):
    one = upload(22)
    one.feed(b"x" * 20 + (b"\r\n" if is_whole else b""))
    one.cancel()
    assert one.route.connections[0].gave_up == ([] if is_whole else ["the client has closed its connection"])
    assert not one.may_start()


def test_a_client_that_closes_early_asks_no_host(upload):
    one = upload(22)
    one.feed(b"x" * 5)
    one.cancel()
    assert not one.may_start()


def test_it_knows_its_request_and_those_that_are_made_of_it(upload):
    one = upload(22)
    made = Request(one.client, b"\1", b"")
    made.origin = one._request
    assert one.serves(one._request) and one.serves(made)
    assert not one.serves(Request(one.client, b"\1", b""))


# downloads --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def download():
    """A download for a command; it has asked for its first key."""

    def make(data, rendering=False):
        client, route = Client(), Route(0)
        request = parsed(data)
        request.client = client
        made = Download(client, request, route)
        made.client, made.route = client, route
        assert not made.may_start()
        made.next()
        return made

    return make


def answer(one, reply, outcomes):
    """The key that is asked for has its answer; what is put off is done."""
    one.route.asked[-1][1].on_reply(reply, outcomes)
    calls, one.client.soon[:] = one.client.soon[:], []
    for call in calls:
        call()


def hit(key, cas=b""):
    """A value in a reply, without END."""
    return b"VALUE %b 0 1%b\r\nx\r\n" % (key, cas)


END, MISS = b"END\r\n", b"END\r\n"
FAILED, LOST = (b"SERVER_ERROR one\r\n", o.TIMEOUT), (b"SERVER_ERROR two\r\n", o.LOST)


def test_keys_are_asked_for_one_after_the_other(download):
    one = download(b"get a b\r\n")
    request, _ = one.route.asked[0]
    assert (request.data, request.started, request.large_value, request.origin) == (b"get a\r\n", 7.0, one, one._request)
    assert one.may_start()
    assert (one.is_fed(), one.held_back(), one.wanted()) == (True, 0, 0)
    answer(one, hit(b"a") + END, o.VALUE)
    assert [request.data for request, _ in one.route.asked] == [b"get a\r\n", b"get b\r\n"]
    answer(one, hit(b"b") + END, o.VALUE)
    assert b"".join(one.client.put_out) == hit(b"a") + hit(b"b") + END
    assert (one.client.over, one.client.told) == ([one], [(b"", b"")])
    assert not one.may_start()


@pytest.mark.parametrize(("answers", "expected", "outcomes"), [
    ([(MISS, o.MISS)] * 2, END, b""),
    ([(MISS, o.MISS), (hit(b"b") + END, o.VALUE)], hit(b"b") + END, b""),
    ([(hit(b"a") + END, o.VALUE), FAILED], hit(b"a") + END, b""),
    ([FAILED, (hit(b"b") + END, o.VALUE)], hit(b"b") + END, b""),
    ([FAILED, (MISS, o.MISS)], FAILED[0], FAILED[1]),
    ([FAILED, LOST], FAILED[0], FAILED[1]),
    ([(MISS, o.MISS), LOST], LOST[0], LOST[1]),
])  # fmt: skip
def test_the_answer_to_a_get_of_several_keys(download, answers, expected, outcomes):
    one = download(b"get a b\r\n")
    for reply, outcome in answers:
        answer(one, reply, outcome)
    assert b"".join(one.client.put_out) == expected
    assert one.client.told == [(b"", outcomes)]


def test_of_a_run_each_command_has_its_answer(download):
    one = download(b"get a\r\nget b\r\nget c\r\n")
    for reply, outcome in [FAILED, (hit(b"b") + END, o.VALUE), LOST]:
        answer(one, reply, outcome)
    assert b"".join(one.client.put_out) == FAILED[0] + hit(b"b") + END + LOST[0]
    assert one.client.told == [(b"", FAILED[1] + LOST[1])]


def test_the_next_key_waits_until_the_client_has_taken_the_last_reply(download):
    one = download(b"get a b\r\n")
    one.client.unsent = b"x"
    answer(one, hit(b"a") + END, o.VALUE)
    assert len(one.route.asked) == 1
    one.client.unsent = b""
    one.resume()
    assert len(one.route.asked) == 2
    one.resume()
    assert len(one.route.asked) == 2


def test_a_client_that_has_gone_is_asked_for_nothing_more(download):
    one = download(b"get a b\r\n")
    one.client.gone = True
    answer(one, hit(b"a") + END, o.VALUE)
    assert (len(one.route.asked), one.client.put_out) == (1, [])
    streamed = Connection(one)
    one.answered(streamed, o.VALUE)
    assert (streamed.closed, streamed.taken) == (1, 0)


def test_a_value_is_streamed_to_its_end(download):
    one = download(b"get a\r\n")
    streamed = Connection(one)
    answer(one, streamed, o.VALUE)
    assert (streamed.taken, streamed.begun_with, one.may_start()) == (1, [], False)
    one.piece(b"VALUE a 0 3\r\nx")
    one.piece(b"yz")
    one.resume()
    assert (streamed.resumed, len(one.route.asked)) == (1, 1)
    one.client.unsent = b"x"
    assert not one.can_take()
    one.client.unsent = b""
    assert one.can_take()
    one.ended(b"\r\nEND\r\n")
    assert b"".join(one.client.put_out) == b"VALUE a 0 3\r\nxyz\r\nEND\r\n"
    assert one.client.told == [(b"", b"")]
    one.resume()
    one.cancel()
    assert (streamed.resumed, streamed.closed) == (1, 0)


def test_a_value_that_was_asked_for_in_base64_is_told_how_its_line_begins(download):
    one = download(b"mg Zm9v b v k\r\n")
    assert one._request.rendering is not None
    streamed = Connection(one)
    answer(one, streamed, o.VALUE)
    assert streamed.begun_with == [one._request.rendering.with_key]


def test_a_value_that_breaks_off_closes_the_client(download):
    one = download(b"get a\r\n")
    answer(one, Connection(one), o.VALUE)
    one.broken()
    assert one.client.aborted == 1
    one.cancel()


def test_a_client_that_closes_ends_the_value_that_is_on_its_way(download):
    one = download(b"get a\r\n")
    streamed = Connection(one)
    answer(one, streamed, o.VALUE)
    one.cancel()
    assert streamed.closed == 1


def test_an_unexpected_error_before_a_value_is_an_answer_and_drops_what_others_hold(download):
    one = download(b"get a\r\n")
    ours, others = Connection(one), Connection(None)
    one.connections += [ours, others]
    one.fail(one._request, *FAILED)
    assert (ours.closed, others.closed, one.client.aborted) == (1, 0, 0)
    assert b"".join(one.client.put_out) == FAILED[0]
    one.fail(one._request, *LOST)
    assert b"".join(one.client.put_out) == FAILED[0]


def test_an_unexpected_error_within_a_value_closes_the_client(download):
    one = download(b"get a\r\n")
    answer(one, Connection(one), o.VALUE)
    one.fail(one._request, *FAILED)
    assert (one.client.aborted, one.client.put_out) == (1, [])


def test_what_it_holds_is_what_its_connections_hold(download):
    one = download(b"get a\r\n")
    one.connections += [Connection(one, holds=5), Connection(None, holds=7), Connection(one, holds=11)]
    assert one.holds() == 16


def test_a_second_answer_for_a_key_is_dropped(download):
    one = download(b"get a b\r\n")
    first = one.route.asked[0][1]
    answer(one, hit(b"a") + END, o.VALUE)
    first.on_reply(*FAILED)
    assert b"".join(one.client.put_out) == hit(b"a")


def test_each_key_has_connections_of_its_own(download):
    one = download(b"get a b\r\n")
    one.connections.append(Connection(one, holds=5))
    answer(one, hit(b"a") + END, o.VALUE)
    assert one.connections == []


def test_a_gat_is_asked_for_key_by_key(download):
    one = download(b"gat 30 a b\r\n")
    answer(one, hit(b"a") + END, o.VALUE)
    assert [request.data for request, _ in one.route.asked] == [b"gat 30 a\r\n", b"gat 30 b\r\n"]
    assert one.route.asked[0][0].commands == bytes([BY_NAME["gat"].number])

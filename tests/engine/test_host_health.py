"""What a host may be relied on for: each event by itself, with what is told, counted and logged of it."""

import logging
from types import SimpleNamespace

import pytest

from mcrouter.engine.hosts.health import HostHealth
from mcrouter.engine.hosts.journal import FLUSH, REPLAY, Journal
from mcrouter.engine.hosts.reason import Reason
from mcrouter.engine.hosts.state import HostState
from mcrouter.engine.hosts.tally import HARD_TKO, SOFT_TKO
from tests.proto.feeding import request as parsed

TKO, FAILURES = 0, 1


class Tally:
    """What is counted, and shown."""

    tko, failures = TKO, FAILURES

    def __init__(self):
        self.cells, self.states, self.reasons, self.recoveries = [0, 0], [], [], []

    def set_state(self, state, at):
        assert at > 1e9
        self.states.append(state)

    def set_reason(self, reason):
        self.reasons.append(reason)

    def count_recovery(self, deleted, flushed):
        self.recoveries.append((deleted, flushed))


class Host(HostHealth):
    """A host that notes what it is told, in order."""

    def __init__(self, most=3):
        self.seen = []
        super().__init__("h:1", Tally(), most, lambda host: self.seen.append("health"))
        self.prober = SimpleNamespace(went_down=lambda: self.seen.append("prober"), hurry=lambda: self.seen.append("hurry"))

    def fail_requests(self, why):
        self.seen.append(f"fail {why}")

    def reconnect(self):
        self.seen.append("reconnect")

    def reads_stopped(self):
        self.seen.append("reads stopped")

    def count(self):
        """The level of its failure, and how many there were."""
        return tuple(self.tally.cells)


@pytest.fixture(autouse=True)
def all_lines(caplog):
    caplog.set_level(logging.DEBUG)


def test_a_host_is_healthy_at_first():
    host = Host()
    assert (host.state, host.healthy, host.reachable, host.recovering) == (HostState.HEALTHY, True, True, False)
    assert (host.tally.states, host.seen, host.refuses_connections) == ([HostState.HEALTHY], [], False)


def test_a_host_that_goes_down(caplog):
    host = Host()
    host.mark_down(Reason.REFUSES, "no luck")
    assert (host.state, host.healthy, host.reachable, host.recovering) == (HostState.DOWN, False, False, False)
    assert host.seen == ["reads stopped", "health", "prober", "fail no luck"]
    assert (host.tally.states[1:], host.tally.reasons, host.count()) == ([HostState.DOWN], [Reason.REFUSES], (HARD_TKO, 1))
    assert caplog.messages == ["host h:1 is unhealthy: no luck"]
    assert host.refuses_connections


def test_a_host_that_is_down_already_is_counted_and_no_more(caplog):
    host = Host()
    host.mark_down(Reason.TIMEOUTS, "slow")
    host.seen.clear()
    host.mark_down(Reason.REFUSES, "refused")
    assert (host.seen, host.count(), len(caplog.messages)) == ([], (HARD_TKO, 2), 1)
    assert host.tally.reasons == [Reason.TIMEOUTS, Reason.REFUSES]


@pytest.mark.parametrize(("reasons", "refuses", "level"), [
    ([Reason.TIMEOUTS], False, SOFT_TKO), ([Reason.REFUSES], True, HARD_TKO), ([Reason.TIMEOUTS, Reason.REFUSES], True, HARD_TKO),
    ([Reason.REFUSES, Reason.TIMEOUTS], True, HARD_TKO),
])  # fmt: skip
def test_whether_it_refuses_connections(reasons, refuses, level):
    host = Host()
    for reason in reasons:
        host.mark_down(reason, "a test")
    assert (host.refuses_connections, host.count()[0]) == (refuses, level)
    assert SOFT_TKO < HARD_TKO


def test_what_it_refused_before_it_came_back_is_forgotten():
    host = Host()
    host.mark_down(Reason.REFUSES, "a test")
    host.mark_up()
    host.mark_down(Reason.TIMEOUTS, "a test")
    assert not host.refuses_connections
    assert host.count() == (SOFT_TKO, 1)


def test_so_many_timeouts_in_a_row_take_it_out(caplog):
    host = Host(most=3)
    host.timed_out()
    host.timed_out()
    assert host.healthy
    host.timed_out()
    assert not host.healthy
    assert host.count() == (SOFT_TKO, 3)
    assert caplog.messages == ["host h:1 is unhealthy: 3 timeouts in a row"]


def test_a_host_that_recovers_gets_writes_first_and_is_read_when_all_is_made_up_for(caplog):
    host = Host()
    host.mark_down(Reason.TIMEOUTS, "slow")
    host.timeouts = 7
    host.seen.clear()
    host.begin_recovery()
    assert (host.state, host.healthy, host.reachable, host.recovering) == (HostState.RECOVERING, False, True, True)
    assert (host.seen, host.timeouts, host.tally.reasons[-1]) == (["reconnect"], 0, Reason.MISSED)
    host.begin_recovery()
    assert host.seen == ["reconnect"]
    host.timeouts = 2
    done = SimpleNamespace(deleted=5, flushed=1)
    host.mark_up(done)
    assert (host.state, host.healthy, host.recovering) == (HostState.HEALTHY, True, False)
    assert host.seen == ["reconnect", "health", "reconnect"]
    assert (host.timeouts, host.count(), host.tally.recoveries) == (0, (0, 0), [(5, 1)])
    assert host.tally.reasons[-1] is Reason.NOTHING
    assert caplog.messages[-1] == f"host h:1 is healthy: {done}"


def test_a_recovery_that_fails_does_not_begin_the_pauses_anew():
    host = Host()
    host.mark_down(Reason.TIMEOUTS, "slow")
    host.begin_recovery()
    host.seen.clear()
    host.timeouts = 4
    host.mark_down(Reason.TIMEOUTS, "slow again")
    assert host.seen == ["reads stopped", "health", "fail slow again"]
    assert host.count() == (SOFT_TKO, 1 + 4)


def test_a_host_without_a_journal_comes_back_at_once(caplog):
    host = Host()
    host.mark_down(Reason.REFUSES, "a test")
    host.mark_up()
    assert (host.healthy, host.tally.recoveries, caplog.messages[-1]) == (True, [], "host h:1 is healthy")


def test_a_host_of_which_it_is_not_known_what_it_has_is_not_read(caplog):
    host = Host()
    host.stop_reads("a test")
    assert (host.healthy, host.reachable) == (False, True)
    assert host.seen == ["reads stopped", "health", "hurry"]
    assert (host.tally.reasons, caplog.messages) == ([Reason.UNSURE], ["host h:1 is not read: a test"])
    host.stop_reads("once more")
    assert (len(host.seen), len(caplog.messages)) == (3, 1)


def test_without_a_prober_nothing_is_hurried():
    for how in ("mark_down", "stop_reads"):
        host = Host()
        host.prober = None
        getattr(host, how)(*([Reason.REFUSES, "a test"] if how == "mark_down" else ["a test"]))
        assert not host.healthy


# the journal ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def journal():
    """A journal for so many keys; `sizes` are those that it has told."""

    def make(limit=3, mode=REPLAY):
        sizes = []
        made = Journal(mode, sizes.append, limit)
        made.sizes = sizes
        return made

    return make


def note(journal, *commands):
    for data in commands:
        journal.note(parsed(data))


SET_A, SET_B, DELETE_C, INCR_D = b"set a 0 0 1\r\nx\r\n", b"set b 0 0 1\r\nx\r\n", b"delete c\r\n", b"incr d 1\r\n"


def test_keys_are_kept_once_in_their_order(journal):
    one = journal()
    assert not one
    note(one, SET_A, DELETE_C, SET_A, SET_B)
    assert (bool(one), one.sizes) == (True, [1, 2, 2, 3])
    assert one.take() == (False, [b"a", b"c", b"b"])
    assert (bool(one), one.sizes[-1]) == (False, 0)


def test_with_more_keys_than_it_may_have_all_is_stale(journal):
    one = journal(limit=2)
    note(one, SET_A, SET_B)
    assert not one.overflowed
    note(one, DELETE_C)
    assert (one.overflowed, bool(one), one.sizes) == (True, True, [1, 2, 0, 0])
    note(one, INCR_D)
    assert one.sizes == [1, 2, 0, 0]
    assert one.take() == (True, [])
    assert not one


def test_a_flush_makes_all_stale_and_other_commands_of_the_operator_nothing(journal):
    one = journal()
    note(one, b"verbosity 1\r\n", b"mn\r\n")
    assert not one
    note(one, b"flush_all\r\n")
    assert one.overflowed


def test_where_no_keys_are_kept_any_write_makes_all_stale(journal):
    one = journal(mode=FLUSH)
    note(one, SET_A)
    assert one.take() == (True, [])


def test_what_could_not_be_made_up_for_is_tried_again_and_then_all_is_flushed(journal):
    one = journal()
    note(one, SET_A, SET_B)
    for _ in range(2):
        taken = one.take()
        one.give_back(taken)
        assert (one.overflowed, one.sizes[-1]) == (False, 2)
    taken = one.take()
    one.give_back(taken)
    assert (one.overflowed, one.sizes[-1]) == (True, 0)


def test_tries_count_in_a_row(journal):
    one = journal()
    note(one, SET_A)
    for _ in range(2):
        one.give_back(one.take())
    one.take()
    one.count_recovery()
    note(one, SET_B)
    for _ in range(2):
        one.give_back(one.take())
    assert not one.overflowed


def test_a_flush_that_failed_is_still_to_be_made(journal):
    one = journal()
    one.overflow()
    taken = one.take()
    assert (taken, one.overflowed) == ((True, []), False)
    one.give_back(taken)
    assert one.overflowed

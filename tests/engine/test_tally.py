"""What is counted of a host: each event moves the cells that it should, and no other."""

import pytest

from mcrouter.engine.hosts.reason import Reason
from mcrouter.engine.hosts.state import HostState
from mcrouter.engine.hosts.tally import HARD_TKO, SOFT_TKO, Tally
from mcrouter.proto import outcomes as o
from mcrouter.proto import results as r
from mcrouter.proto.commands import BY_NAME, COMMANDS
from mcrouter.proto.request import GET, SET

BOUNDS = (1.0, 10.0)
BLOCK = len(BOUNDS) + 2
COUNT = len(COMMANDS)
INCR = BY_NAME["incr"].number


class Layout:
    """Gives out cells, and knows their names."""

    def __init__(self):
        self.names = []

    def one(self, name):
        self.names.append(name)
        return len(self.names) - 1

    def several(self, *names):
        return [self.one(name) for name in names]

    def blocks(self, name):
        """A histogram for each command."""
        return [self.several(*[f"{name} {command.name} {part}" for part in (*BOUNDS, "more", "sum")])[0] for command in COMMANDS]

    def by_command(self, name):
        return self.several(*[f"{name} {command.name}" for command in COMMANDS])


@pytest.fixture
def tally():
    """A tally; `moved()` are the cells that are not 0, by name."""
    layout = Layout()
    args = [layout.blocks("upstream"), layout.blocks("direct"), layout.by_command("error"), layout.by_command("refused"),
            layout.by_command("unsent"), layout.several(*[f"result {number}" for number in range(len(r.RESULTS))]),
            *layout.several("hits", "misses", "connections"),
            layout.several("healthy", "tko", "failures", "recovering", "turned", "why"),
            layout.several("missed", "deleted", "flushed", "journal", "dirty"), layout.one("request errors")]  # fmt: skip

    class Moved(Tally):
        __slots__ = ()

        def moved(self):
            found = {name: cell for name, cell in zip(layout.names, self.cells) if cell}
            self.cells[:] = [0.0] * len(layout.names)
            return found

    return Moved([0.0] * len(layout.names), BOUNDS, *args)


def test_an_answer_counts_by_its_time(tally):
    for ms, part in ((0.5, "1.0"), (1.0, "1.0"), (5, "10.0"), (50, "more")):
        tally.answered(bytes([GET]), ms, tally.direct)
        assert tally.moved() == {f"direct get {part}": 1, "direct get sum": ms}


def test_each_command_of_a_run_counts(tally):
    tally.answered(bytes([GET, SET, GET]), 5, tally.upstream)
    assert tally.moved() == {"upstream get 10.0": 2, "upstream get sum": 10, "upstream set 10.0": 1, "upstream set sum": 5}


def test_single_gets_and_sets_that_were_sent_together(tally):
    tally.count_single(5, (2, 1, 0), (0, 0, 3))
    assert tally.moved() == {"direct get 10.0": 3, "direct get sum": 15, "hits": 2, "misses": 1,
                             "upstream set 10.0": 3, "upstream set sum": 15}  # fmt: skip
    tally.count_single(5, (0, 0, 1), (0, 4, 0))
    assert tally.moved() == {"direct set 10.0": 1, "direct set sum": 5, "upstream get 10.0": 4, "upstream get sum": 20, "misses": 4}
    tally.count_single(5, (0, 0, 0), (0, 0, 0))
    assert tally.moved() == {}


def test_keys_that_gets_asked_for(tally):
    tally.looked_up(3, 0)
    assert tally.moved() == {"hits": 3}
    tally.looked_up(0, 2)
    assert tally.moved() == {"misses": 2}


def test_what_is_expected_is_refused_by_none(tally):
    assert tally.refused(bytes([GET, SET]), o.VALUE + o.STORED) == 0
    assert tally.moved() == {}


def test_a_no_and_an_error_line(tally):
    assert tally.refused(bytes([SET, INCR, GET]), o.NOT_STORED + o.CLIENT_ERROR + o.VALUE) == 1
    assert tally.moved() == {
        "refused set": 1, f"result {r.OF_ANSWER[o.NOT_STORED[0]]}": 1,
        "refused incr": 1, f"result {r.OF_ANSWER[o.CLIENT_ERROR[0]]}": 1, "error incr": 1,
    }  # fmt: skip


@pytest.mark.parametrize("result", range(len(r.RESULTS)))
def test_a_request_without_an_answer(tally, result):
    tally.failed(bytes([GET, SET, GET]), result)
    expected = {"error get": 2, "error set": 1, f"result {result}": 3}
    if result in r.NEVER_SENT:
        expected.update({"unsent get": 2, "unsent set": 1})
    assert tally.moved() == expected


def test_what_was_not_sent(tally):
    tally.record_skipped(bytes([GET, SET]))
    assert tally.moved() == {f"result {r.TKO}": 2}
    tally.record_skipped(bytes([GET]), r.LOCAL_ERROR)
    assert tally.moved() == {f"result {r.LOCAL_ERROR}": 1}


@pytest.mark.parametrize(("state", "shown"), [
    (HostState.HEALTHY, {"healthy": 1}), (HostState.DOWN, {}), (HostState.RECOVERING, {"recovering": 1}),
])  # fmt: skip
def test_the_state_and_since_when(tally, state, shown):
    tally.set_state(state, 1234.5)
    assert tally.moved() == {**shown, "turned": 1234.5}


def test_why_it_is_not_read_and_what_it_took_to_come_back(tally):
    tally.set_reason(Reason.TIMEOUTS)
    assert tally.moved() == {"why": int(Reason.TIMEOUTS)}
    tally.count_recovery(5, 1)
    tally.count_recovery(2, 0)
    tally.set_journal_size(9)
    assert tally.moved() == {"deleted": 7, "flushed": 1, "journal": 9}


def test_the_levels_of_failure_are_facebooks():
    assert (SOFT_TKO, HARD_TKO) == (1, 2)

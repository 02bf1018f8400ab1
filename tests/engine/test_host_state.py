"""The states of a host: each state with each event, as the table in state.py's docstring has it."""

import json
import re

import pytest

from mcrouter import Router, Settings, load_config
from mcrouter.engine.hosts import state
from mcrouter.engine.hosts.reason import Reason
from mcrouter.engine.hosts.state import MAY_SEND, BadTransition, HostEvent, HostState, state_after

NAMES = "|".join(HostState.__members__)


def tables():
    """The docstring's tables, as (heading, {state: cells})."""
    for part in state.__doc__.split("\n\n"):
        lines = [line.split() for line in part.splitlines()]
        if lines and lines[0] and lines[0][0] == "state":
            yield lines[0][1:], {HostState[line[0]]: line[1:] for line in lines[1:] if re.fullmatch(NAMES, line[0])}


(MAY_BE_SENT, WRITTEN_MAY_SEND), (EVENTS, WRITTEN_TRANSITIONS) = tables()


def test_the_tables_are_complete():
    assert list(WRITTEN_MAY_SEND) == list(WRITTEN_TRANSITIONS) == list(MAY_SEND) == list(HostState)
    assert list(HostEvent.__members__) == EVENTS


@pytest.mark.parametrize("one", HostState)
def test_what_may_be_sent_is_what_is_written(one):
    assert {name: "yes" if may else "no" for name, may in MAY_SEND[one]._asdict().items()} == dict(
        zip(MAY_BE_SENT, WRITTEN_MAY_SEND[one])
    )


@pytest.mark.parametrize("event", HostEvent)
@pytest.mark.parametrize("one", HostState)
def test_each_event_leads_where_it_is_written(one, event):
    following = WRITTEN_TRANSITIONS[one][EVENTS.index(event.name)]
    if following == "-":
        with pytest.raises(BadTransition, match=f"{one.value}: {event.value}"):
            state_after(one, event)
    else:
        assert state_after(one, event) is HostState[following]


class World:
    """A host of a router that is never run, and what it has told of its health."""

    def __init__(self):
        text = json.dumps({"orderedPool": ["127.0.0.1:1", "127.0.0.1:2"], "route": "AllSyncRoute"})
        self.router = Router(load_config(text), Settings(listen="tcp://127.0.0.1:0"))
        self.worker = self.router._make_worker()
        self.host = self.worker._policy.hosts["127.0.0.1:1"]
        self.told = []
        self.host.on_health = lambda host: self.told.append(host.state)

    def be(self, one):
        """Brings the host into this state."""
        if one is not HostState.HEALTHY:
            self.host.mark_down(Reason.SILENT, "a test")
        if one is HostState.RECOVERING:
            self.host.begin_recovery()
        assert self.host.state is one
        self.told.clear()

    def cells(self):
        """What the counters show of its state: healthy, recovering, and why it is not read."""
        tally = self.host.tally
        return [int(tally.cells[cell]) for cell in (tally.healthy, tally.recovering, tally.why)]


@pytest.fixture
def world():
    made = World()
    yield made
    made.worker._close()


ACTIONS = {
    HostEvent.FAILED: lambda host: host.mark_down(Reason.WRONG, "a test"),
    HostEvent.WRITE_UNCERTAIN: lambda host: host.stop_reads("a test"),
    HostEvent.PROBE_ANSWERED: lambda host: host.begin_recovery(),
    HostEvent.RECOVERED: lambda host: host.mark_up(),
    HostEvent.RETIRED: lambda host: host.retire(),
}
SHOWN = {HostState.HEALTHY: [1, 0], HostState.DOWN: [0, 0], HostState.RECOVERING: [0, 1]}
TOLD = {  # where routes must look at the host again
    (HostState.HEALTHY, HostEvent.FAILED),
    (HostState.RECOVERING, HostEvent.FAILED),
    (HostState.HEALTHY, HostEvent.WRITE_UNCERTAIN),
    (HostState.DOWN, HostEvent.RECOVERED),
    (HostState.RECOVERING, HostEvent.RECOVERED),
}


@pytest.mark.parametrize("event", HostEvent)
@pytest.mark.parametrize("one", HostState)
def test_a_host_follows_the_table_and_shows_it(world, one, event):
    host = world.host
    world.be(one)
    following = WRITTEN_TRANSITIONS[one][EVENTS.index(event.name)]
    if following == "-":
        before = vars(host).copy(), world.cells()
        with pytest.raises(BadTransition):
            ACTIONS[event](host)
        assert (vars(host), world.cells()) == before and not world.told
        return
    ACTIONS[event](host)
    assert host.state is HostState[following]
    assert host.healthy is MAY_SEND[host.state].reads
    assert host.reachable is MAY_SEND[host.state].background
    assert host.recovering is (host.state is HostState.RECOVERING)
    assert world.told == ([host.state] if (one, event) in TOLD else [])
    if event is not HostEvent.RETIRED:  # its counters may belong to another host by then
        assert world.cells()[:2] == SHOWN[host.state]


@pytest.mark.parametrize(("event", "reason"), [(HostEvent.FAILED, Reason.WRONG), (HostEvent.WRITE_UNCERTAIN, Reason.UNSURE)])
def test_a_healthy_host_that_is_not_read_any_more_shows_why(world, event, reason):
    ACTIONS[event](world.host)
    assert world.cells()[2] == reason


def test_a_host_that_recovers_shows_that_it_has_missed_writes_and_then_nothing(world):
    world.be(HostState.RECOVERING)
    assert world.cells() == [0, 1, Reason.MISSED]
    world.host.mark_up()
    assert world.cells() == [1, 0, Reason.NOTHING]


def test_other_event_loops_see_that_a_host_is_not_read(world):
    cells, dirty = world.host.tally.cells, world.host.tally.dirty
    assert not cells[dirty]
    world.host.stop_reads("a test")
    assert cells[dirty] == 1
    world.host.clean(True)
    world.host.mark_down(Reason.SILENT, "a test")
    assert cells[dirty] == 1


def test_a_host_that_is_slow_on_its_way_back_is_not_one_that_refuses_connections(world):
    """How it is down decides the error that clients get (style.unhealthy)."""
    host, seen = world.host, []
    for reason in (Reason.REFUSES, Reason.SILENT):
        host.mark_down(reason, "a test")
        seen.append(host.refuses_connections)
    host.begin_recovery()
    host.mark_down(Reason.SILENT, "a test")
    assert [*seen, host.refuses_connections] == [True, True, False]

"""The states of a host: what moves a host from one to another, and what it may be sent in each.

    state        reads  writes  background  probes
    HEALTHY      yes    yes     yes         yes
    DOWN         no     no      no          yes
    RECOVERING   no     no      yes         yes

`reads` and `writes` are those that a client waits for, `background` is a write that no client waits for. A host that is
DOWN or RECOVERING misses writes: while it is DOWN they are recorded in its journal, while it is RECOVERING it gets them
in the background, and the journal is made up for (recovery.py).

    state        FAILED  WRITE_UNCERTAIN  PROBE_ANSWERED  RECOVERED  RETIRED
    HEALTHY      DOWN    RECOVERING       -               -          DOWN
    DOWN         DOWN    DOWN             RECOVERING      HEALTHY    DOWN
    RECOVERING   DOWN    RECOVERING       RECOVERING      HEALTHY    DOWN

    FAILED            a connection could not be opened, too many requests timed out in a row, a probe failed, its name
                      does not resolve, or its journal was lost with a process
    WRITE_UNCERTAIN   it may lack a write, or have one that its client was told has failed
    PROBE_ANSWERED    it answers probes, and has a journal that must be made up for before it is read
    RECOVERED         it answers probes, and has no journal, or one that is made up for
    RETIRED           no policy has it any more, and all that it was asked is answered

`-` is a bug of this program: the event raises BadTransition and changes nothing. The event loop logs it, and closes the
connection in whose callback it came up.
"""

import enum
from typing import Dict, NamedTuple


class HostState(enum.Enum):
    """What a host may be relied on for."""

    HEALTHY = "healthy"
    DOWN = "down"
    RECOVERING = "recovering"


class HostEvent(enum.Enum):
    """What may move a host to another state."""

    FAILED = "failed"
    WRITE_UNCERTAIN = "the outcome of a write is not known"
    PROBE_ANSWERED = "answered a probe"
    RECOVERED = "has missed no write, or none any more"
    RETIRED = "no policy has it any more"


class MaySend(NamedTuple):
    """What a host may be sent."""

    reads: bool
    writes: bool
    background: bool
    probes: bool


class BadTransition(Exception):
    """An event that cannot happen in this state: a bug of this program."""


MAY_SEND: Dict[HostState, MaySend] = {
    HostState.HEALTHY: MaySend(reads=True, writes=True, background=True, probes=True),
    HostState.DOWN: MaySend(reads=False, writes=False, background=False, probes=True),
    HostState.RECOVERING: MaySend(reads=False, writes=False, background=True, probes=True),
}

TRANSITIONS: Dict[HostState, Dict[HostEvent, HostState]] = {
    HostState.HEALTHY: {
        HostEvent.FAILED: HostState.DOWN,
        HostEvent.WRITE_UNCERTAIN: HostState.RECOVERING,
        HostEvent.RETIRED: HostState.DOWN,
    },
    HostState.DOWN: {
        HostEvent.FAILED: HostState.DOWN,
        HostEvent.WRITE_UNCERTAIN: HostState.DOWN,
        HostEvent.PROBE_ANSWERED: HostState.RECOVERING,
        HostEvent.RECOVERED: HostState.HEALTHY,
        HostEvent.RETIRED: HostState.DOWN,
    },
    HostState.RECOVERING: {
        HostEvent.FAILED: HostState.DOWN,
        HostEvent.WRITE_UNCERTAIN: HostState.RECOVERING,
        HostEvent.PROBE_ANSWERED: HostState.RECOVERING,
        HostEvent.RECOVERED: HostState.HEALTHY,
        HostEvent.RETIRED: HostState.DOWN,
    },
}


def state_after(state: HostState, event: HostEvent) -> HostState:
    """Returns the state that follows; raises BadTransition when the event cannot happen in this state."""
    following = TRANSITIONS[state].get(event)
    if following is None:
        raise BadTransition(f"a host that is {state.value}: {event.value}")
    return following

"""What happens to which host when, in a round."""

from random import Random
from typing import List, NamedTuple, Sequence

KILL, FREEZE, THAW, START = "kill", "freeze", "thaw", "start"
_UP, _FROZEN, _DEAD = range(3)
_NEXT = {
    _UP: {KILL: _DEAD, FREEZE: _FROZEN},
    _FROZEN: {THAW: _UP, KILL: _DEAD},
    _DEAD: {START: _UP},
}
_ALL_MAY_FALL = 0.2  # share of the rounds
_STEPS = (3, 9)
SECONDS = (0.5, 1.2)  # that a round's faults take


class Fault(NamedTuple):
    """One act upon one host; `at` is in seconds from the round's begin."""

    at: float
    host: int
    act: str


def draw_faults(draw: Random, hosts: int, acts: Sequence[str]) -> List[Fault]:
    """The faults of a round that begins with all hosts up; `acts` are those allowed that take a host away."""
    states = [_UP] * hosts
    all_may_fall = draw.random() < _ALL_MAY_FALL
    seconds = draw.uniform(*SECONDS)
    faults: List[Fault] = []
    for at in sorted(draw.uniform(0, seconds) for _ in range(draw.randint(*_STEPS))):
        host = draw.randrange(hosts)
        last = states[host] == _UP and states.count(_UP) == 1
        choices = [act for act in _NEXT[states[host]] if act in (THAW, START) or act in acts]
        if choices and (all_may_fall or not last):
            act = draw.choice(choices)
            states[host] = _NEXT[states[host]][act]
            faults.append(Fault(at, host, act))
    return faults


def describe(faults: Sequence[Fault]) -> str:
    """A round's faults for people."""
    return ", ".join(f"{fault.at:.2f} {fault.act} {fault.host + 1}" for fault in faults) or "none"

"""The hosts that are asked, and the answer: if all hosts are healthy, and if one of the hosts asked fails."""

from typing import Callable, List, Mapping, NamedTuple, Tuple

from ..proto.commands import ADMIN, BY_VERB
from ..routes.null import default_reply
from .answers import FAILS, MISSES, TIMES_OUT, UNHEALTHY
from .dry import DryRun, Result

EVERY = "every host"
_WORDS = {FAILS: "answers SERVER_ERROR", TIMES_OUT: "times out", UNHEALTHY: "is unhealthy"}

Make = Callable[[Mapping[str, str]], DryRun]


class Scenario(NamedTuple):
    """The result when `host` (EVERY: each host) fails as `when` says; if both are empty, all hosts are healthy."""

    host: str
    when: str
    result: Result


def scenarios(make: Make, data: bytes, hosts: List[str]) -> List[Scenario]:
    """Returns the scenarios of the request `data`. `make` returns new routes over hosts in the given conditions;
    `hosts` are the names of all hosts."""
    well = make({}).ask(data)
    found = [Scenario("", "", well)]
    asked = list(dict.fromkeys(one.host for one in well.asked))
    failures = _failures(data)
    for host in asked:
        found += [Scenario(host, when, make({host: condition}).ask(data)) for condition, when in failures]
    known = [(one.when, one.result) for one in found]
    for condition, when in failures if asked else ():
        result = make(dict.fromkeys(hosts, condition)).ask(data)
        if (when, result) not in known:
            found.append(Scenario(EVERY, when, result))
    return found


def _failures(data: bytes) -> List[Tuple[str, str]]:
    """Returns (condition, words) for each condition in which a host fails a request."""
    command = BY_VERB[data.split(None, 1)[0]]
    miss = default_reply(command.number)[0].decode().strip()
    misses = [] if command.kind == ADMIN else [(MISSES, f"answers {miss}")]
    return [*misses, *_WORDS.items()]


def asked_words(result: Result, data: bytes) -> str:
    """Returns the hosts asked, in words: `a, b, then c (add k 0 0 5)`; with the request where the client's differs."""
    own = data.partition(b"\r\n")[0]
    phases: List[List[str]] = []
    last = 0
    for one in sorted(result.asked, key=lambda one: one.phase):
        if one.phase != last:
            phases.append([])
        last = one.phase
        line = "" if one.line == own else f" ({text(one.line)})"
        phases[-1].append(one.host + line)
    return ", then ".join(", ".join(phase) for phase in phases) or "no host"


def answer_words(result: Result) -> str:
    """Returns the answer as one line."""
    return ", ".join(text(line) for line in result.reply.splitlines()) or "none"


def text(data: bytes) -> str:
    """Returns bytes as printable text."""
    return data.decode(errors="backslashreplace")

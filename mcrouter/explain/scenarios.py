"""Who is asked, and what the answer is: when all hosts are well, and when one of those asked fails."""

from typing import Any, Callable, List, Mapping, NamedTuple

from ..proto.commands import ADMIN, BY_VERB
from ..routes.null import default_reply
from .answers import FAILS, MISSES, TIMES_OUT, UNHEALTHY
from .dry import DryRun, Result

EVERY = "every host"
_WORDS = {FAILS: "answers SERVER_ERROR", TIMES_OUT: "times out", UNHEALTHY: "is unhealthy"}

Make = Callable[[Mapping[str, str]], DryRun]


class Scenario(NamedTuple):
    """One of them: `host` (EVERY: all of them) fares as `when` says; both empty: all are well."""

    host: str
    when: str
    result: Result


def scenarios(make: Make, data: bytes, hosts: List[str]) -> List[Scenario]:
    """Those worth knowing of the request that `data` is. `make` gives a fresh policy where hosts fare so; `hosts` are
    all that there are."""
    well = make({}).ask(data)
    found = [Scenario("", "", well)]
    asked = list(dict.fromkeys(one.host for one in well.asked))
    for host in asked:
        found += [Scenario(host, when, make({host: fares}).ask(data)) for fares, when in _ways(data)]
    known = [(one.when, one.result) for one in found]
    for fares, when in _ways(data) if asked else ():
        result = make(dict.fromkeys(hosts, fares)).ask(data)
        if (when, result) not in known:
            found.append(Scenario(EVERY, when, result))
    return found


def _ways(data: bytes) -> List[Any]:
    """How a host can fail a request, and the words for it."""
    command = BY_VERB[data.split(None, 1)[0]]
    miss = default_reply(command.number)[0].decode().strip()
    misses = [] if command.kind == ADMIN else [(MISSES, f"answers {miss}")]
    return [*misses, *_WORDS.items()]


def asked_words(result: Result, data: bytes) -> str:
    """Who is asked, in words: `a, b, then c (add k 0 0 5)`; with the line where it is not the client's own."""
    own = data.partition(b"\r\n")[0]
    phases: List[List[str]] = []
    last = 0
    for one in sorted(result.asked, key=lambda one: one.phase):
        if one.phase != last:
            phases.append([])
        last = one.phase
        line = "" if one.line == own else f" ({text(one.line)})"
        phases[-1].append(one.host + line)
    return ", then ".join(", ".join(phase) for phase in phases) or "nobody"


def answer_words(result: Result) -> str:
    """The answer as one line."""
    return ", ".join(text(line) for line in result.reply.splitlines()) or "none"


def text(data: bytes) -> str:
    """Bytes as they can be shown."""
    return data.decode(errors="backslashreplace")

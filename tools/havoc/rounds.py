"""A round: load and faults, all hosts back, what each of them holds."""

import time
from random import Random
from typing import Callable, Dict, List, Sequence

from .faults import FREEZE, KILL, START, THAW, Fault, draw_faults
from .hosts import Host
from .keys import STALE, UNANSWERED, Finding, Findings, Key
from .load import Load
from .router import Router, Watch

_WARM = 0.15  # seconds of load before the first fault
_TICK = 0.05  # seconds of load between looks at the metrics
_LOOKS = 5  # at what the hosts hold, while the router loses one of them in between


class Rounds:
    """Plays rounds, each drawn from the seed and its number alone."""

    def __init__(
        self, hosts: Sequence[Host], router: Router, findings: Findings, seed: str, acts: Sequence[str]
    ) -> None:
        self._hosts, self._router, self._findings, self._seed, self._acts = hosts, router, findings, seed, acts
        self.played: Dict[int, List[Fault]] = {}

    def play(self, number: int, load: Load) -> None:
        """One round."""
        self._findings.round = number
        faults = draw_faults(Random(f"{self._seed}/round {number}"), len(self._hosts), self._acts)
        self.played[number] = faults
        self._disturb(faults, load)
        for host in self._hosts:
            host.recover()
        self._audit(load)
        self._router.check(self._findings)

    def renew(self) -> None:
        """Starts all hosts anew, so that the router has no other connections to them than those it always has."""
        for host in self._hosts:
            host.kill()
        for host in self._hosts:
            host.recover()
        watch = Watch(self._router)
        while not watch.is_over(self._findings):
            time.sleep(_TICK)

    def _disturb(self, faults: Sequence[Fault], load: Load) -> None:
        load.run(_WARM)
        begin = time.monotonic()
        for fault in faults:
            load.run(begin + fault.at - time.monotonic())
            host = self._hosts[fault.host]
            acts: Dict[str, Callable[[], None]] = {
                KILL: host.kill, FREEZE: host.freeze, THAW: host.thaw, START: host.start}  # fmt: skip
            acts[fault.act]()
        load.run(_WARM)

    def _audit(self, load: Load) -> None:
        """What the hosts hold once all are healthy and have done all that they were asked.

        One that the router has lost meanwhile (the machine may be busy) need not know what it missed: then once more.
        """
        for _ in range(_LOOKS):
            downs = self._router.downs()
            watch = Watch(self._router)
            while not watch.is_over(self._findings):
                load.run(_TICK)
            if not load.settle():
                self._findings.add(Finding(UNANSWERED, "the hosts are healthy, yet not all of them answer"))
                return
            stale = [finding for host in self._hosts for finding in stale_values(host, load.keys)]
            if not stale or downs == self._router.downs():
                break
        for finding in stale:
            self._findings.add(finding)


def stale_values(host: Host, keys: Sequence[Key]) -> List[Finding]:
    """The values of a host that should not be there any more."""
    by_name = {key.name: key for key in keys}
    found: List[Finding] = []
    for value in host.values(by_name):
        key = by_name[value.key]
        finding = key.judge(value.data, value.flags)
        if finding is not None:
            found.append(Finding(STALE, f"on {host.name}, asked directly: {finding.text}"))
    return found

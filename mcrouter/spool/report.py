"""The report of a pass over a spool, and its lines for the operator."""

from collections import Counter
from typing import Counter as Counts
from typing import List, Mapping

from .entry import Address, show

_NAMED = 10  # damaged lines of a file that are reported one by one


class Report:
    """Counts entries by host; `problems` has messages about everything else that stays."""

    def __init__(self) -> None:
        self.delivered: Counts[Address] = Counter()
        self.left: Counts[Address] = Counter()
        self.problems: List[str] = []

    @property
    def complete(self) -> bool:
        """Whether no entry and no file stays."""
        return not self.left and not self.problems

    def note(self, address: Address, delivered: int, left: int) -> None:
        """Counts entries of one host."""
        for counts, number in ((self.delivered, delivered), (self.left, left)):
            if number:
                counts[address] += number

    def host_lines(self, failures: Mapping[Address, str]) -> List[str]:
        """Returns one line for each host; `failures` has the reason why entries of a host stay."""
        return [
            f"{show(address)}: {self.delivered[address]} delivered, {self.left[address]} stay"
            + (f": {failures[address]}" if address in failures else "")
            for address in sorted({*self.delivered, *self.left})
        ]

    def plan_lines(self) -> List[str]:
        """Returns one line for each host with entries that have not been tried."""
        return [f"{show(address)}: {self.left[address]} to deliver" for address in sorted(self.left)]


class Damage:
    """Reports the lines of one file that cannot be read: the first ones one by one, the others as a number."""

    def __init__(self, path: str, report: Report) -> None:
        self._path = path
        self._report = report
        self._count = 0

    def note(self, number: int, problem: str) -> None:
        """Reports that the line of this number (from 1) is damaged."""
        self._count += 1
        if self._count <= _NAMED:
            self._report.problems.append(f"{self._path}:{number}: this line is kept: {problem}; correct or remove it")

    def end(self) -> None:
        """Reports the number of the other damaged lines, at the end of the file."""
        if self._count > _NAMED:
            self._report.problems.append(f"{self._path}: {self._count - _NAMED} more lines like these are kept")

"""What a pass over a spool found and did, and how the operator is told."""

from collections import Counter
from typing import Counter as Counts
from typing import List, Mapping

from .entry import Address, show

_NAMED = 10  # damaged lines of a file that are told one by one


class Report:
    """Entries by host, and in words what stays for other reasons than its host's."""

    def __init__(self) -> None:
        self.delivered: Counts[Address] = Counter()
        self.left: Counts[Address] = Counter()
        self.problems: List[str] = []

    @property
    def complete(self) -> bool:
        """Whether nothing stays."""
        return not self.left and not self.problems

    def note(self, address: Address, delivered: int, left: int) -> None:
        """Counts entries of one host."""
        for counts, number in ((self.delivered, delivered), (self.left, left)):
            if number:
                counts[address] += number

    def host_lines(self, failures: Mapping[Address, str]) -> List[str]:
        """One line a host; `failures` says why what stays does."""
        return [
            f"{show(address)}: {self.delivered[address]} delivered, {self.left[address]} stay"
            + (f": {failures[address]}" if address in failures else "")
            for address in sorted({*self.delivered, *self.left})
        ]

    def plan_lines(self) -> List[str]:
        """One line a host, of what has not been tried."""
        return [f"{show(address)}: {self.left[address]} to deliver" for address in sorted(self.left)]


class Damage:
    """The lines of one file that cannot be read: the first of them one by one, the others as a number."""

    def __init__(self, path: str, report: Report) -> None:
        self._path = path
        self._report = report
        self._count = 0

    def note(self, number: int, problem: str) -> None:
        """The line of this number (from 1) is damaged."""
        self._count += 1
        if self._count <= _NAMED:
            self._report.problems.append(f"{self._path}:{number}: this line is kept: {problem}; mend or remove it")

    def end(self) -> None:
        """The file has no more lines."""
        if self._count > _NAMED:
            self._report.problems.append(f"{self._path}: {self._count - _NAMED} more lines like these are kept")

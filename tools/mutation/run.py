"""A mutation run: a sample of all mutants, each applied to a scratch copy and judged by the tests."""

import enum
import queue
import random
import tempfile
import threading
import time
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional

from .equivalent import Entry, Key, by_key, keys_of
from .operators import Mutant, find, mutate
from .reach import Reach, Test
from .tables import IN_PROCESSES, PACKAGE, TESTS, UNREACHED, folder_of
from .workspace import Workspace, WorkspaceError

_LEAST, _TIMES = 10.0, 5.0  # a test may take so many seconds, and as often as long as without a change, in all
_START = 30.0  # seconds that pytest may take beside its tests
_IN_PROCESSES = 180.0  # seconds for the tests in processes of their own
_FEW = 5  # tests; what no more than that reach may be reached by others in processes of their own
_SANE = 5  # tests that must pass before anything is changed


class Verdict(enum.Enum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"


class Judged(NamedTuple):
    """A mutant and what became of it."""

    mutant: Mutant
    verdict: Verdict
    note: str  # how many tests were asked, or why it is equivalent
    seconds: float


def all_mutants(root: Path, only: Optional[str] = None) -> List[Mutant]:
    """Returns all mutants of the package in `root`; with `only`, a path in the repository with or without `:LINE`,
    those of that folder, file or line."""
    path, _, line = (only or "").partition(":")
    path = path.rstrip("/")
    found = []
    for file in sorted((root / PACKAGE).rglob("*.py")):
        name = file.relative_to(root).as_posix()
        if folder_of(name) and (not path or name == path or name.startswith(f"{path}/")):
            found += [one for one in find(name, file.read_text()) if not line or one.line == int(line)]
    return found


def draw(mutants: List[Mutant], count: int, seed: str) -> List[Mutant]:
    """Returns a sample of so many, or all if there are fewer, in the order of the files."""
    chosen = random.Random(seed).sample(range(len(mutants)), min(count, len(mutants)))
    return [mutants[place] for place in sorted(chosen)]


def stale(entries: List[Entry], mutants: List[Mutant]) -> List[Entry]:
    """Returns the entries that name no mutant (any more); `mutants` are all that there are."""
    there = {key for mutant in mutants for key in keys_of(mutant)}
    return [entry for key, entry in by_key(entries).items() if key not in there]


class Run:
    """One run over the repository in `root`. `seconds` bounds it as a whole, `say` takes a line about the progress,
    `told` each mutant that is judged, in any order."""

    def __init__(
        self,
        root: Path,
        record: Path,
        entries: List[Entry],
        seconds: float,
        say: Callable[[str], None],
        told: Callable[[Judged], None],
    ) -> None:
        self._root = root
        self._record = record
        self._equivalent: Dict[Key, Entry] = by_key(entries)
        self._end = time.monotonic() + seconds
        self._say = say
        self._told = told
        self._lock = threading.Lock()
        self._error: Optional[Exception] = None

    def _left(self) -> float:
        return self._end - time.monotonic()

    def judge(self, sample: List[Mutant], jobs: int) -> None:
        """Judges a sample, in so many scratch copies at once; leaves what there is no time for. Raises
        WorkspaceError."""
        waiting: "queue.SimpleQueue[Mutant]" = queue.SimpleQueue()
        for mutant in sample:
            known = [self._equivalent[key] for key in keys_of(mutant) if key in self._equivalent]
            if known:
                self._told(Judged(mutant, Verdict.EQUIVALENT, known[0].reason, 0.0))
            else:
                waiting.put(mutant)
        with tempfile.TemporaryDirectory(prefix="mutants-") as name:
            spaces = [Workspace(self._root, self._folder(name, number)) for number in range(jobs)]
            reach = Reach(spaces[0], self._record, self._say)
            needed = {folder_of(mutant.path) for mutant in sample}
            folders = dict.fromkeys(tests for folder in TESTS if folder in needed for tests in TESTS[folder])
            reach.load(folders, lambda: self._left() <= 0)
            threads = [threading.Thread(target=self._work, args=(space, reach, waiting)) for space in spaces]
            for thread in threads:
                thread.start()
            try:
                for thread in threads:
                    thread.join()
            except BaseException:
                self._end = 0.0
                for space in spaces:
                    space.stop()
                raise
        if self._error:
            raise self._error

    @staticmethod
    def _folder(name: str, number: int) -> Path:
        folder = Path(name) / str(number)
        folder.mkdir()
        return folder

    def _work(self, space: Workspace, reach: Reach, waiting: "queue.SimpleQueue[Mutant]") -> None:
        is_sane = False
        try:
            while self._left() > 0:
                try:
                    mutant = waiting.get_nowait()
                except queue.Empty:
                    return
                tests, is_all = reach.tests_of(mutant)
                if tests and not is_sane:
                    self._check(space, tests[:_SANE])
                    is_sane = True
                self._judge_one(space, mutant, tests, is_all)
        except Exception as error:
            self._error = error

    @staticmethod
    def _check(space: Workspace, tests: List[Test]) -> None:
        if not space.passes([test.nodeid for test in tests], [60.0] * len(tests), 300.0):
            raise WorkspaceError(f"tests fail before anything is changed: {space.tail.strip()}")

    def _judge_one(self, space: Workspace, mutant: Mutant, tests: List[Test], is_all: bool) -> None:
        begin = time.monotonic()
        source = space.read(mutant.path)
        space.write(mutant.path, mutate(source, mutant))
        try:
            has_survived, is_whole = self._survives(space, mutant, tests)
        finally:
            space.write(mutant.path, source)
        if not is_whole:
            return  # its time was cut short by the end of the run
        verdict = Verdict.SURVIVED if has_survived else Verdict.KILLED
        note = f"{len(tests)} tests reach it" if is_all else f"the {len(tests)} quickest of the tests that reach it"
        with self._lock:
            self._told(Judged(mutant, verdict, note, time.monotonic() - begin))

    def _survives(self, space: Workspace, mutant: Mutant, tests: List[Test]) -> "tuple[bool, bool]":
        """Whether no test notices, and whether there was time to see that."""
        limits = [_LEAST + _TIMES * test.seconds for test in tests]
        wanted = _START + _TIMES * sum(test.seconds for test in tests)
        if tests and not space.passes([test.nodeid for test in tests], limits, min(wanted, max(self._left(), 0.0))):
            return False, self._left() > 0
        folder = folder_of(mutant.path)
        folders = IN_PROCESSES[folder] if len(tests) > _FEW else UNREACHED[folder] + IN_PROCESSES[folder]
        if not space.passes_folders(folders, min(_IN_PROCESSES, max(self._left(), 0.0))):
            return False, self._left() > 0
        return True, True

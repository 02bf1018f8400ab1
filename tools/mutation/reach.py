"""Which test reaches which line of the package: recorded once, kept in a file, and renewed for what has changed since.

The record of a test file holds as long as the package, the file itself and the helpers beside it are the same.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Tuple, cast

from .operators import Mutant
from .tables import PACKAGE, TESTS, folder_of
from .workspace import Workspace

_PATIENCE = 600.0  # seconds that recording one test file may take
_FARTHER = 0.1  # seconds of a quicker test that one of the next folder must make up for
_INDIRECT = 5  # so many folders farther is a test that reaches a line by its imports only
_FORMAT = b"2"  # of the record; another one is made anew
_BUDGET = 30.0  # seconds of tests that one mutant is given: what so many do not notice, the next would hardly


class Test(NamedTuple):
    """A test that passes when nothing is changed."""

    nodeid: str
    seconds: float  # that it took, while its lines were recorded
    lines: Dict[str, int]  # by path in the package: a bit for each line that it reaches
    imported: Dict[str, int]  # the same of lines that its file's imports reach
    beside: Dict[str, int]  # the same of lines that any test of its file reaches


class Reach:
    """The record. `path` is where it is kept; `say` takes a line about the progress."""

    def __init__(self, workspace: Workspace, path: Path, say: Callable[[str], None]) -> None:
        self._workspace = workspace
        self._path = path
        self._say = say
        self._files: Dict[str, Dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
        self._tests: Dict[str, List[Test]] = {}

    def load(self, folders: Iterable[str], deadline: Callable[[], bool]) -> None:
        """Records what is missing for these folders of tests; stops early once `deadline` says so. Raises
        WorkspaceError."""
        root = self._workspace.root
        for folder in folders:
            if folder in self._tests:
                continue
            found = [root / folder] if folder.endswith(".py") else (root / folder).rglob("test_*.py")
            files = sorted(path.relative_to(root).as_posix() for path in found if path.exists())
            digests = {file: self._digest(file) for file in files}
            for file in files:
                if self._files.get(file, {}).get("digest") == digests[file]:
                    continue
                if deadline():
                    return
                self._say(f"recording what {file} reaches")
                self._files[file] = {"digest": digests[file], **self._workspace.record([file], _PATIENCE)}
                self._save()
            self._tests[folder] = [test for file in files for test in self._tests_in(file)]

    def _tests_in(self, file: str) -> List[Test]:
        imported, beside, found = _numbers(self._files[file]["imported"]), cast(Dict[str, int], {}), []
        for nodeid, test in self._files[file]["tests"].items():
            lines = _numbers(test["lines"])
            for path, mask in lines.items():
                beside[path] = beside.get(path, 0) | mask
            if test["passed"]:
                found.append(Test(nodeid, test["seconds"], lines, imported, beside))
        return found

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._files))

    def _digest(self, file: str) -> str:
        """Of all that the record of a test file hangs on."""
        root = self._workspace.root
        helpers = [path for path in (root / file).parent.glob("*.py") if not path.name.startswith("test_")]
        hashed = hashlib.sha256(_FORMAT)
        for path in [root / file, *sorted((root / PACKAGE).rglob("*.py")), *sorted(helpers)]:
            hashed.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
        return hashed.hexdigest()

    def tests_of(self, mutant: Mutant) -> Tuple[List[Test], bool]:
        """Returns the tests to ask about a mutant, in order, and whether they are all that reach it."""
        path = mutant.path[len(PACKAGE) + 1 :]
        first, last = mutant.span
        wanted = (1 << (last + 1)) - (1 << first) if mutant.function else -1  # what an import does may matter anywhere
        is_import = not mutant.function  # the first test of a file that needs a module imports it, for all behind it
        ranked = []
        for rank, folder in enumerate(TESTS[folder_of(mutant.path)]):
            for test in self._tests.get(folder, []):
                if test.lines.get(path, 0) & wanted:
                    ranked.append((test.seconds + rank * _FARTHER, test))
                elif test.imported.get(path, 0) & wanted or (is_import and path in test.beside):
                    ranked.append((test.seconds + (rank + _INDIRECT) * _FARTHER, test))
        chosen: List[Test] = []
        budget = _BUDGET
        for _, test in sorted(ranked, key=lambda one: one[0]):
            budget -= test.seconds
            if budget < 0 and chosen:
                return chosen, False
            chosen.append(test)
        return chosen, True


def _numbers(masks: Dict[str, str]) -> Dict[str, int]:
    return {path: int(mask, 16) for path, mask in masks.items()}

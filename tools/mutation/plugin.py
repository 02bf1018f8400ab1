"""Loaded by pytest in the scratch copy. Says which test reaches which line of the package, or runs chosen tests only.

`MUTATION_JOB` names a file with a JSON object: `prefix`, the package's folder; `record`, a file to write the record to;
or `tests`, the node ids of the tests to run, in this order, with `limits`, the seconds that each of them may take.
"""

import faulthandler
import json
import os
import sys
import threading
from types import CodeType, FrameType
from typing import Any, Dict, List, Optional, Set

with open(os.environ["MUTATION_JOB"]) as file:
    _JOB: Dict[str, Any] = json.load(file)
_PREFIX: str = _JOB["prefix"]
_ENOUGH = 3000  # calls of one function in one test that are followed: later ones hardly take another way


class _Record:
    """The lines that the test under way has reached, in all threads; before the first test, those of imports."""

    def __init__(self) -> None:
        self.lines: Dict[str, Set[int]] = {}
        self.calls: Dict[CodeType, int] = {}
        self.tests: Dict[str, Dict[str, Any]] = {}
        self.imported: Optional[Dict[str, str]] = None

    def begin(self) -> None:
        """A test begins."""
        if self.imported is None:
            self.imported = self._masks()
        self.lines, self.calls = {}, {}

    def _masks(self) -> Dict[str, str]:
        """The lines by path in the package: bits of a number, as hexadecimal digits."""
        masks = {path[len(_PREFIX) :]: sum(1 << line for line in set(lines)) for path, lines in self.lines.items()}
        return {path: f"{mask:x}" for path, mask in masks.items()}

    def reported(self, report: Any) -> None:
        """A part of the test has ended: its setup, itself, or its teardown."""
        test = self.tests.setdefault(report.nodeid, {"seconds": 0.0, "passed": True, "lines": {}})
        test["seconds"] += report.duration
        if report.outcome != "passed":  # one that is skipped notices nothing
            test["passed"] = False

    def end(self, nodeid: str) -> None:
        """The test has ended."""
        self.tests[nodeid]["lines"] = self._masks()

    def enter(self, frame: FrameType, _event: str, _arg: Any) -> Optional[Any]:
        """Called by the interpreter for every call; follows those into the package."""
        code = frame.f_code
        if not code.co_filename.startswith(_PREFIX):
            return None
        calls = self.calls.get(code, 0)
        if calls >= _ENOUGH:
            return None
        self.calls[code] = calls + 1
        return self.step

    def step(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        """Called by the interpreter for every line of a call that is followed."""
        path = frame.f_code.co_filename
        lines = self.lines.get(path)
        if lines is None:
            lines = self.lines[path] = set()
        lines.add(frame.f_lineno)
        return self.step


_record = _Record()
_limits: Dict[str, float] = dict(zip(_JOB.get("tests", []), _JOB.get("limits", [])))


def pytest_configure(config: Any) -> None:
    """Begins to record."""
    if "record" in _JOB:
        threading.settrace(_record.enter)
        sys.settrace(_record.enter)


def pytest_collection_modifyitems(session: Any, config: Any, items: List[Any]) -> None:
    """Leaves the chosen tests, in their order."""
    if "tests" in _JOB:
        found = {item.nodeid: item for item in items}
        items[:] = [found[nodeid] for nodeid in _JOB["tests"] if nodeid in found]


def pytest_runtest_logstart(nodeid: str, location: Any) -> None:
    """A test begins; one that takes too long ends the whole run."""
    _record.begin()
    if nodeid in _limits:
        faulthandler.dump_traceback_later(_limits[nodeid], exit=True, file=2)


def pytest_runtest_logreport(report: Any) -> None:
    """A part of a test has ended."""
    _record.reported(report)


def pytest_runtest_logfinish(nodeid: str, location: Any) -> None:
    """A test has ended."""
    _record.end(nodeid)
    if nodeid in _limits:
        faulthandler.cancel_dump_traceback_later()


def pytest_sessionfinish(session: Any) -> None:
    """Writes the record."""
    if "record" in _JOB:
        sys.settrace(None)
        with open(_JOB["record"], "w") as file:
            json.dump({"imported": _record.imported or {}, "tests": _record.tests}, file)

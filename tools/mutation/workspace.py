"""A scratch copy of the repository: one file of it is changed at a time, and tests are run in it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from .tables import COPIED, PACKAGE

_TOOLS = Path(__file__).resolve().parent.parent
_CLOSED = (0,)  # exit codes of pytest with which no test has failed


class WorkspaceError(Exception):
    """The tests cannot be run at all."""


class Workspace:
    """A copy of the repository in a folder of its own; the repository itself is never changed."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = folder
        self._stamp = 0
        ignored = shutil.ignore_patterns("__pycache__", ".*cache", ".hypothesis")
        for name in COPIED:
            if (root / name).is_dir():
                shutil.copytree(root / name, folder / name, ignore=ignored)
            elif (root / name).exists():
                shutil.copy2(root / name, folder / name)
        self._process: Optional[subprocess.Popen[bytes]] = None
        self.tail = ""  # the end of what the last run has printed

    def read(self, path: str) -> str:
        """Returns a file of the package as it is in the repository when the copy is made."""
        return (self.root / path).read_text()

    def write(self, path: str, source: str) -> None:
        """Changes a file. Its time differs each time, so that what was compiled before is not taken for it."""
        file = self.root / path
        file.write_text(source)
        self._stamp += 1
        time = 1_000_000_000 + self._stamp
        os.utime(file, (time, time))

    def passes(self, tests: Sequence[str], limits: Sequence[float], seconds: float) -> bool:
        """Runs tests by their node ids until the first fails; whether all have passed. Each has its limit in seconds,
        all together have `seconds`; what takes longer has failed."""
        files = sorted({test.split("::")[0] for test in tests})
        return self._pytest(["-x", *files], {"tests": list(tests), "limits": list(limits)}, seconds) in _CLOSED

    def passes_folders(self, folders: Sequence[str], seconds: float) -> bool:
        """Runs all tests of these folders until the first fails; whether all have passed within `seconds`."""
        there = [folder for folder in folders if (self.root / folder).exists()]
        return not there or self._pytest(["-x", *there], {}, seconds) in _CLOSED

    def record(self, files: Sequence[str], seconds: float) -> Dict[str, Any]:
        """Runs all tests of these files, recording what they reach; see plugin.py. Raises WorkspaceError."""
        out = self.root / "record.json"
        code = self._pytest([*files], {"record": str(out)}, seconds)
        if not out.exists():
            raise WorkspaceError(f"the tests could not be run (exit code {code}): {self.tail.strip()}")
        record: Dict[str, Any] = json.loads(out.read_text())
        out.unlink()
        return record

    def _pytest(self, args: List[str], job: Dict[str, Any], seconds: float) -> Optional[int]:
        """Runs pytest; returns its exit code, None if it took too long."""
        job_file, log = self.root / "job.json", self.root / "pytest.log"
        job_file.write_text(json.dumps({"prefix": f"{self.root / PACKAGE}{os.sep}", **job}))
        path = os.pathsep.join([str(self.root), str(_TOOLS), *filter(None, [os.environ.get("PYTHONPATH")])])
        env = {**os.environ, "PYTHONPATH": path, "MUTATION_JOB": str(job_file),
               "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # fmt: skip  # half a second of each run
        command = [sys.executable, "-m", "pytest", "-q", "-p", "mutation.plugin", "-p", "no:cacheprovider",
                   "--rootdir=.", "--no-header", "--tb=line", *args]  # fmt: skip
        with log.open("w") as out:  # not a pipe: what a test leaves running would keep it open
            self._process = subprocess.Popen(command, cwd=self.root, env=env, start_new_session=True,
                                             stdin=subprocess.DEVNULL, stdout=out, stderr=out)  # fmt: skip
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.stop()
            self.tail = log.read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        """Ends the run under way and all that it has started."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

"""The processes and the folder of one run, ended with it; CPU and memory of a process and its descendants."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

START_DEADLINE = 60.0  # seconds that a process may take to serve
_END_DEADLINE = 3.0  # seconds between SIGTERM and SIGKILL
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
Process = subprocess.Popen[bytes]


class BenchError(Exception):
    """Why there is nothing to measure; one line."""


class Stage:
    """Starts processes, each in a session of its own; at the end of a `with` none of them is left."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mcrouter-bench-"))
        self._processes: List[Process] = []

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second ^C must not leave processes behind
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for process in list(self._processes):
            self.stop(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(
        self, name: str, words: Sequence[str], env: Optional[Mapping[str, str]] = None, cwd: Optional[Path] = None
    ) -> Process:
        """A process; what it prints goes to its log."""
        environment = {**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, **(env or {})}
        with self._log(name).open("wb") as log:
            try:
                process = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                    env=environment, cwd=cwd or self.folder)  # fmt: skip
            except OSError as error:
                raise BenchError(f"{name}: cannot run {words[0]}: {error.strerror}") from None
        self._processes.append(process)
        return process

    def stop(self, process: Process) -> None:
        """SIGTERM, then SIGKILL to what is left of its session."""
        os.kill(process.pid, signal.SIGTERM)  # not terminate(), which may reap it
        end = time.monotonic() + _END_DEADLINE
        while time.monotonic() < end and not _ended(process):
            time.sleep(0.01)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # ended already, or only the zombie is left
            pass
        process.wait()
        self._processes.remove(process)

    def finish(self, process: Process, seconds: float) -> Optional[int]:
        """Its exit code once it has ended by itself, or None if it has not in that time. Nothing of it is left."""
        end = time.monotonic() + seconds
        while not _ended(process) and time.monotonic() < end:
            time.sleep(0.01)
        by_itself = _ended(process)
        self.stop(process)
        return process.returncode if by_itself else None

    def wait(self, name: str, process: Process, ready: Callable[[], bool], pause: float = 0.02) -> None:
        """Waits until `ready`; a process that does not come that far is an error, with the last line of its log."""
        end = time.monotonic() + START_DEADLINE
        while not ready():
            if _ended(process) or time.monotonic() > end:
                lines = self._log(name).read_text(errors="replace").strip().splitlines()
                raise BenchError(f"{name} did not start: {lines[-1][:200] if lines else 'it does not say why'}")
            time.sleep(pause)

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


def _ended(process: Process) -> bool:
    """Whether it has ended. It is not reaped: nobody else may get its number while its group is ended by it."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def free_port() -> int:
    """A port that nobody listens on, below those that the kernel gives to outgoing connections."""
    for _ in range(1000):
        port = random.randrange(15000, 32000)
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise BenchError("no free port")


def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def answers(port: int) -> bool:
    """Whether a get is answered as it should be: a router that listens may not have found its host yet."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0) as sock:
            sock.sendall(b"get nothing\r\n")
            return sock.recv(100) == b"END\r\n"
    except OSError:
        return False


def _tree(pid: int) -> Dict[int, List[str]]:
    """The stat fields, from the third on, of a process and its descendants."""
    stats: Dict[int, List[str]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            stats[int(path.parent.name)] = path.read_text().rpartition(")")[2].split()
        except OSError:  # ended meanwhile
            continue
    found = [pid]
    for parent in found:
        found += [child for child, fields in stats.items() if int(fields[1]) == parent]
    return {number: stats[number] for number in found if number in stats}


def descendants(pid: int) -> List[int]:
    """A process and its descendants."""
    return list(_tree(pid))


def cpu_seconds(pid: int) -> Tuple[float, float]:
    """(user, system) of a process and its descendants, those that have ended included."""
    rows = list(_tree(pid).values())
    user, system, ended_user, ended_system = (sum(int(fields[i]) for fields in rows) for i in (11, 12, 13, 14))
    return (user + ended_user) / _TICK, (system + ended_system) / _TICK


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and its descendants; what they share counts for each."""
    return sum(_resident(pid, fields) for pid, fields in _tree(pid).items())


def open_descriptors(pid: int) -> int:
    """Open file descriptors of a process and its descendants."""
    return sum(_descriptors(pid) for pid in descendants(pid))


def _descriptors(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:  # ended meanwhile
        return 0


def _resident(pid: int, fields: List[str]) -> int:
    try:
        # exact, where stat may be many pages behind
        found = re.search(r"^Rss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    except OSError:
        found = None
    return 1024 * int(found[1]) if found else int(fields[21]) * _PAGE

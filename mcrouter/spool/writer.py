"""The writing side of the spool: appends each delete that failed to a file, as one line.

A replay may take the file away while it is in use. The order of the steps on both sides keeps that safe:

    writer   lock the file, if the lock is free; check that the name still refers to it; append a line; unlock
    replay   rename the file; lock it, which waits for a write that is under way; read it

Once a replay has the lock, the name is gone, and the writer opens a new file for its next line. The writer never waits:
a lock that is not free means that the file was taken. Tested by test_spool_live and test_spool_writer.
"""

import errno
import fcntl
import itertools
import os
import time
from typing import Callable, Set

from ..system.logs import get_logger
from .entry import SpoolEntry, format_entry
from .layout import LIFETIME, file_name, hour_name

logger = get_logger(__name__)

_FILE_MODE = 0o666  # reduced by the umask, as is the mode of the directories
_TRIES = 100  # new files to open in a row, if each is taken away before a line is written to it
_NO_FILE = -1

_opened_here = itertools.count()


class Spool:
    """Appends to files under `directory`, which are made when there is something to write.

    For use by one thread: each event loop has its own spool. `router_name` appears in the lines and in the names of the
    files; `clock` returns the Unix time in seconds. `written` and `failed` count entries.
    """

    def __init__(self, directory: str, router_name: str = "mcrouter", clock: Callable[[], float] = time.time) -> None:
        self.written = self.failed = 0
        self._directory = directory
        self._router_name = router_name
        self._clock = clock
        self._file = _NO_FILE
        self._path = ""
        self._opened = 0.0
        self._pid = 0
        self._torn = False  # the last line was written in part
        self._logged: Set[str] = set()

    def add(self, host: str, port: int, key: bytes, pool: str = "") -> bool:
        """Records that the host must delete the key; `host` may be a unix socket's absolute path, with port 0.

        Returns False if the entry could not be written; each cause is logged once for a file. Never raises.
        """
        now = self._clock()
        line = format_entry(SpoolEntry(now, (host, port), key, pool), self._router_name)
        try:
            self._append(line, now)
        except OSError as error:
            self.failed += 1
            self._complain(error)
            return False
        self.written += 1
        return True

    def close(self) -> None:
        """Closes the file; the next `add` opens another one."""
        if self._file != _NO_FILE:
            os.close(self._file)
            self._file = _NO_FILE

    def _append(self, line: bytes, now: float) -> None:
        for _ in range(_TRIES):
            if self._locked(now):
                try:
                    self._write(line)
                finally:
                    fcntl.flock(self._file, fcntl.LOCK_UN)
                return
            self._open(now)
        raise OSError(errno.EBUSY, "each new file is taken away at once", self._path)

    def _locked(self, now: float) -> bool:
        """Locks the current file and returns True, if it is this process's, young enough, and not taken."""
        if self._file == _NO_FILE or self._pid != os.getpid() or not 0 <= now - self._opened <= LIFETIME:
            return False
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return os.path.samestat(os.stat(self._path), os.fstat(self._file))
        except (BlockingIOError, FileNotFoundError):
            return False

    def _open(self, now: float) -> None:
        self.close()
        hour = os.path.join(self._directory, hour_name(now))
        self._path = os.path.join(hour, file_name(now, self._router_name, os.getpid(), next(_opened_here)))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            os.makedirs(hour, exist_ok=True)
            self._file = os.open(self._path, flags, _FILE_MODE)
        except (FileExistsError, FileNotFoundError):
            return  # a process in another container has the same pid, or a replay has removed the empty directory
        self._opened, self._pid, self._torn = now, os.getpid(), False
        self._logged.clear()

    def _write(self, line: bytes) -> None:
        """Writes in one piece, so that lines stay whole. If a full disk has cut the last line, that is ended first."""
        data = b"\n" + line if self._torn else line
        written = os.write(self._file, data)
        self._torn = written != len(data)
        if self._torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._path)

    def _complain(self, error: OSError) -> None:
        cause = error.strerror or str(error)
        if cause not in self._logged:
            self._logged.add(cause)
            logger.error("deletes that failed cannot be spooled to %s: %s; they are lost, so hosts may serve stale"
                         " values; let this process write to the directory, and check that the disk has space",
                         self._directory, cause)  # fmt: skip

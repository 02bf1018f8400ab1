"""A pass over a spool: takes each file from its writer, delivers the entries, and keeps those that were not delivered.

    NAME                the file that a router appends to
      | renamed, then locked for a moment: the router continues in another file (writer.py)
    NAME.replay1        read from first to last line; entries that stay are copied to
    NAME.replay1.rest   which then replaces it; if no entry stays, both are removed

A pass that is killed loses nothing: the next one delivers the same file again, and writes the copy again. The directory
is locked, so that only one pass runs at a time.
"""

import contextlib
import errno
import fcntl
import os
import stat
from itertools import count, islice
from typing import BinaryIO, Callable, Dict, Iterator, List, Protocol, Sequence, Union

from .entry import Address, BadEntryError, SpoolEntry, parse_entry
from .layout import LIFETIME, SpoolFile, Writer, files_of, hour_is_over, is_hour, plan
from .report import Damage, Report

_CHUNK = 8192  # lines in memory at once


class BusyError(Exception):
    """Raised if another replay is running on the directory."""


class Delivery(Protocol):
    """The part of Deliverer that a pass needs."""

    def deliver(self, address: Address, keys: Sequence[bytes]) -> List[bool]:
        """Returns for each key whether the host no longer has it."""


@contextlib.contextmanager
def only_replay(directory: str) -> Iterator[None]:
    """Locks the directory. Raises BusyError while another process has the lock; OSError if there is no directory."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"another replay is running on {directory}; wait for it, or end it first") from None
        yield
    finally:
        os.close(descriptor)


def replay(directory: str, delivery: Delivery, now: float, ending: Callable[[], bool] = lambda: False) -> Report:
    """Delivers the entries of the spool; `now` is the Unix time. Must be called within `only_replay`.

    Once `ending()` returns True, no further file is started.
    """
    report = Report()
    for file in _ready(directory, now, report):
        path = os.path.join(directory, file.hour, file.name)
        if ending():
            report.problems.append(f"{path}: it stays: the replay was stopped; run it again")
            continue
        with _problems(path, report):
            _replay_file(path if file.writer is Writer.TAKEN else _take(path), delivery, report)
    for hour in os.listdir(directory):
        if hour_is_over(hour, now):
            with contextlib.suppress(OSError):  # not empty yet
                os.rmdir(os.path.join(directory, hour))
    return report


def survey(directory: str, now: float) -> Report:
    """Reports the entries that `replay` would try to deliver, all of them as `left`. Changes nothing."""
    report = Report()
    for file in _ready(directory, now, report):
        path = os.path.join(directory, file.hour, file.name)
        with _problems(path, report), _open(path, "rb") as lines:
            damage = Damage(path, report)
            for number, line in enumerate(lines, 1):
                if file.writer is Writer.TAKEN or line.endswith(b"\n"):  # else the line is still being written
                    found = _read(line)
                    if isinstance(found, SpoolEntry):
                        report.note(found.address, 0, 1)
                    elif found:
                        damage.note(number, found)
            damage.end()
    return report


def _ready(directory: str, now: float, report: Report) -> List[SpoolFile]:
    found: List[SpoolFile] = []
    for hour in filter(is_hour, os.listdir(directory)):
        path = os.path.join(directory, hour)
        with _problems(path, report):
            found += files_of(hour, os.listdir(path))
    planned = plan(found, now)
    for file in planned.waiting:
        path = os.path.join(directory, file.hour, file.name)
        minutes = LIFETIME // 60 + 1
        report.problems.append(
            f"{path}: it stays: facebook's mcrouter may still write to it; replay it when it is {minutes} minutes old"
        )
    return planned.ready


@contextlib.contextmanager
def _problems(path: str, report: Report) -> Iterator[None]:
    """Reports a file that cannot be read or written, so that the other files are still replayed."""
    try:
        yield
    except OSError as error:
        report.problems.append(f"{path}: {error.strerror or error}; it stays: let this user read and write there")


def _take(path: str) -> str:
    """Renames the file, so that its writer starts another one; returns the new path."""
    taken = next(name for name in (f"{path}.replay{n}" for n in count(1)) if not os.path.lexists(name))
    os.rename(path, taken)
    return taken


def _open(path: str, mode: str) -> BinaryIO:
    """Opens a regular file; raises OSError for anything else."""
    return open(path, mode, opener=_open_regular)  # type: ignore[return-value]


def _open_regular(path: str, flags: int) -> int:
    """Opens without following a link or waiting for a FIFO: in facebook's directories every user may write."""
    fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is not a regular file", path)
    return fd


def _replay_file(path: str, delivery: Delivery, report: Report) -> None:
    copy_path = path + ".rest"
    damage = Damage(path, report)
    read = kept = 0
    with _open(path, "rb") as lines, _open(copy_path, "wb") as copy:
        fcntl.flock(lines, fcntl.LOCK_EX)  # waits for a write that was under way at the rename
        for chunk in iter(lambda: list(islice(lines, _CHUNK)), []):
            read += len(chunk)
            found = [_read(line) for line in chunk]
            for at in _undelivered(found, delivery, report):
                kept += 1
                copy.write(chunk[at])
                problem = found[at]
                if isinstance(problem, str):
                    damage.note(kept, problem)
    damage.end()
    if kept == read > 0:
        os.unlink(copy_path)
    elif kept:
        os.replace(copy_path, path)
    else:
        os.unlink(path)
        os.unlink(copy_path)


def _read(line: bytes) -> Union[SpoolEntry, str]:
    """Returns the entry, or what is wrong with the line; "" for a blank line, which need not be kept."""
    if not line.strip():
        return ""
    try:
        return parse_entry(line)
    except BadEntryError as error:
        return str(error)


def _undelivered(found: Sequence[Union[SpoolEntry, str]], delivery: Delivery, report: Report) -> List[int]:
    """Delivers the entries, and returns the positions of the lines to keep."""
    hosts: Dict[Address, List[int]] = {}
    keep = {at for at, problem in enumerate(found) if isinstance(problem, str) and problem}
    keys = [entry.key if isinstance(entry, SpoolEntry) else b"" for entry in found]
    for at, entry in enumerate(found):
        if isinstance(entry, SpoolEntry):
            hosts.setdefault(entry.address, []).append(at)
    for address, places in hosts.items():
        gone = delivery.deliver(address, [keys[at] for at in places])
        report.note(address, sum(gone), len(gone) - sum(gone))
        keep.update(at for at, done in zip(places, gone) if not done)
    return sorted(keep)

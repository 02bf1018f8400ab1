"""The directories and files of a spool: makes their names, and reads them.

    DIR/20260801T10-1785578400/                                    one directory per hour: local time, Unix time
        20260801T101530-1785579330-mcrouter-east-p4711-0           ours: service, router, process, count
        20260801T101530-1785579330-unknown-east-t4712-0x7f31a0     facebook's: service, router, thread, pointer
        20260801T101530-1785579330-mcrouter-east-p4711-0.replay1   taken by a replay: no router writes to it any more

Directories, dates and times are those of facebook/mcrouter's `AsyncLog::openFile`. Only the end differs, so that a
replay knows which program may still write to a file.
"""

import re
import time
from enum import Enum
from typing import Iterable, List, NamedTuple

LIFETIME = 15 * 60  # seconds that a file is written to; facebook/mcrouter's DEFAULT_ASYNCLOG_LIFETIME
_MARGIN = 60  # seconds more until a file of facebook's is taken: a write may have been under way

_HOUR = re.compile(r"[0-9]{8}T[0-9]{2}-([0-9]{1,15})")
_FILE = re.compile(
    r"[0-9]{8}T[0-9]{6}-(?P<opened>[0-9]{1,15})-.*-(?:p[0-9]+-[0-9]+|(?P<theirs>t[0-9]+-(?:0x[0-9a-f]+|\(nil\))))"
    r"(?P<taken>\.replay[0-9]+)?"
)


class Writer(Enum):
    """The program that may still write to a file."""

    TAKEN = "taken by a replay"
    OURS = "ours, which notices that it was taken"
    THEIRS = "facebook's, which does not"


class SpoolFile(NamedTuple):
    """A file: its directory, its name, when it was opened (Unix time, in seconds), and its writer."""

    hour: str
    name: str
    opened: int
    writer: Writer


class Plan(NamedTuple):
    """The files to replay, oldest first, and the files that must wait because they may still be written to."""

    ready: List[SpoolFile]
    waiting: List[SpoolFile]


def hour_name(now: float) -> str:
    """Returns the name of the directory for files that are opened now."""
    seconds = int(now)
    return time.strftime("%Y%m%dT%H", time.localtime(seconds)) + f"-{seconds - seconds % 3600}"


def file_name(now: float, router: str, pid: int, count: int) -> str:
    """Returns the name of a file that is opened now; `count` is the number of the file within the process."""
    seconds = int(now)
    stamp = time.strftime("%Y%m%dT%H%M%S", time.localtime(seconds))
    return f"{stamp}-{seconds}-mcrouter-{re.sub(r'[^A-Za-z0-9_.-]', '_', router)}-p{pid}-{count}"


def is_hour(name: str) -> bool:
    """Returns whether a directory of this name holds files of the spool."""
    return _HOUR.fullmatch(name) is not None


def hour_is_over(name: str, now: float) -> bool:
    """Returns whether no file is opened in this hour's directory any more."""
    hour = _HOUR.fullmatch(name)
    return hour is not None and now >= int(hour.group(1)) + 3600


def plan(found: Iterable[SpoolFile], now: float) -> Plan:
    """Divides the files into those to replay and those that must wait."""
    made = Plan([], [])
    for file in sorted(found, key=lambda file: (file.opened, file.name)):
        in_use = file.writer is Writer.THEIRS and now - file.opened <= LIFETIME + _MARGIN
        (made.waiting if in_use else made.ready).append(file)
    return made


def files_of(hour: str, names: Iterable[str]) -> List[SpoolFile]:
    """Returns the files of the spool among the names in an hour's directory; other names are ignored."""
    found = []
    for name in names:
        match = _FILE.fullmatch(name)
        if match:
            writer = Writer.TAKEN if match["taken"] else Writer.THEIRS if match["theirs"] else Writer.OURS
            found.append(SpoolFile(hour, name, int(match["opened"]), writer))
    return found

"""The log. A handler that fails stops nothing, and the handler of the command line never makes an event loop wait.

    event loop ──record──► queue (bounded; what does not fit is dropped and counted) ──thread──► stderr

A pipe that is not read, a terminal that was stopped (^S) or a full disk delays the thread, and nothing else.
"""

import contextlib
import functools
import logging
import os
import select
import sys
import threading
import traceback
from queue import Empty, SimpleQueue
from typing import Any, Callable, List, Optional, Union

from .printable import printable

PACKAGE = __name__.rsplit(".", 2)[0]
"""The name of this package, under which all of its loggers are."""
MOST_LINES = 10_000
"""At most so many lines wait for stderr."""
_AT_ONCE = 1000  # lines in one write
_PATIENCE = 1.0  # seconds that the end of a process waits for its last lines to be written


def get_logger(name: str) -> logging.Logger:
    """Returns the logger of this name. An exception that one of its handlers raises is printed to stderr, as the
    handlers of `logging` do with their own, and goes no further: handlers belong to the embedding program, and run in
    the event loop.
    """
    logger = logging.getLogger(name)
    if not isinstance(logger.handle, functools.partial):
        setattr(logger, "handle", functools.partial(_handle, logger.handle))  # noqa: B010 (mypy: it is a method)
    return logger


def _handle(handle: Callable[[logging.LogRecord], None], record: logging.LogRecord) -> None:
    try:
        handle(record)
    except Exception:
        if logging.raiseExceptions and sys.stderr is not None:
            with contextlib.suppress(Exception):
                traceback.print_exc()


class OneLine(logging.Formatter):
    """Formats a record as one line without control characters, which may come from a config, a host or a client; a
    traceback follows on further lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        return printable(super().formatMessage(record))


class StderrHandler(logging.Handler):
    """Writes to a descriptor from a thread of its own, which starts with the first line. `dropped` counts the lines
    that found no room since the log has last told it, `dropped_in_all` all of this process."""

    def __init__(self, fd: int = 2) -> None:
        super().__init__()
        self._fd = fd
        self._start_over()
        os.register_at_fork(after_in_child=self._start_over)

    def _start_over(self) -> None:
        """Begins with an empty queue. Also in a forked child: the lines that wait are written by the thread of the
        parent."""
        self._queue: "SimpleQueue[Union[bytes, threading.Event]]" = SimpleQueue()
        self._thread: Optional[threading.Thread] = None
        self.dropped = self.dropped_in_all = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Queues the line of a record. Never waits."""
        if self._queue.qsize() >= MOST_LINES:
            self.dropped += 1
            self.dropped_in_all += 1
            return
        self._queue.put(f"{self.format(record)}\n".encode(errors="backslashreplace"))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="mcrouter-log", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the process may have no more threads; the next line tries again
                self._thread = None

    def flush(self) -> None:
        """Waits until all lines are written, at most for a moment."""
        if self._thread is not None:
            written = threading.Event()
            self._queue.put(written)
            written.wait(_PATIENCE)

    def _run(self) -> None:
        queue = self._queue
        while True:
            taken: List[Any] = [queue.get()]
            with contextlib.suppress(Empty):
                while len(taken) < _AT_ONCE:
                    taken.append(queue.get_nowait())
            self._write(b"".join(line for line in taken if isinstance(line, bytes)))
            self._tell_dropped()
            for written in taken:
                if isinstance(written, threading.Event):
                    written.set()

    def _tell_dropped(self) -> None:
        dropped, self.dropped = self.dropped, 0
        if dropped:
            text = f"{dropped} lines of the log were dropped: stderr was not read"
            record = logging.LogRecord(__name__, logging.ERROR, __file__, 0, text, None, None)
            self._write(f"{self.format(record)}\n".encode())

    def _write(self, data: bytes) -> None:
        """Writes to the descriptor. Lines that cannot be written are lost: there is no other place to report that."""
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:  # another program has made the terminal, or the pipe, non-blocking
                select.select([], [self._fd], [])
            except OSError:
                return


def flush_stderr() -> None:
    """Writes the last lines of the log, in a process that ends by os._exit."""
    for handler in _handlers():
        handler.flush()


def lines_dropped() -> int:
    """Returns how many lines of the log this process has dropped."""
    return sum(handler.dropped_in_all for handler in _handlers())


def _handlers() -> List[StderrHandler]:
    return [one for one in logging.getLogger(PACKAGE).handlers if isinstance(one, StderrHandler)]

"""A pipe by which other threads, and signal handlers, wake a loop up.

After `close` nothing is written any more: the descriptor may be somebody else's by then, in a program that carries the
router and goes on without it.
"""

import os
import threading

_READ = 4096


class Wakeup:
    """`fd` is watched for reading; `wake` makes it readable, `clear` takes that back."""

    def __init__(self) -> None:
        self.fd, self.write_fd = os.pipe()
        """A byte written to `write_fd` wakes it up, too: for signal.set_wakeup_fd, without which a signal that comes
        just before the poll would wait for its end."""
        os.set_blocking(self.fd, False)
        os.set_blocking(self.write_fd, False)
        self.closed = False
        self._lock = threading.RLock()  # a signal handler may come while its own thread has it

    def wake(self) -> bool:
        """From any thread and from a signal handler; whether there is anybody to be woken."""
        with self._lock:
            if self.closed:
                return False
            try:
                os.write(self.write_fd, b"\0")
            except BlockingIOError:
                pass  # full: it is about to wake up anyway
            return True

    def clear(self) -> None:
        """Takes what has been written."""
        try:
            while len(os.read(self.fd, _READ)) == _READ:
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Gives both descriptors back."""
        with self._lock:
            self.closed = True
            os.close(self.fd)
            os.close(self.write_fd)

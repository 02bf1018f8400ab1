"""A pipe by which other threads, and signal handlers, wake a loop up.

After `close` nothing is written any more: in a program that carries the router and goes on without it, the descriptor
may belong to another file by then.
"""

import os
import threading

_READ = 4096


class Wakeup:
    """`fd` is watched for reading; `wake` makes it readable, `clear` takes that back."""

    def __init__(self) -> None:
        self.fd, self.write_fd = os.pipe()
        """For signal.set_wakeup_fd: a byte written here wakes the loop up, too. Without that, a signal that comes just
        before the poll would wait for the end of the poll."""
        os.set_blocking(self.fd, False)
        os.set_blocking(self.write_fd, False)
        self.closed = False
        self._lock = threading.RLock()  # a signal handler may come while its own thread has it

    def wake(self) -> bool:
        """Wakes the loop up, from any thread or from a signal handler; returns False when it has been closed."""
        with self._lock:
            if self.closed:
                return False
            try:
                os.write(self.write_fd, b"\0")
            except BlockingIOError:
                pass  # full: it is about to wake up anyway
            return True

    def clear(self) -> None:
        """Reads what has been written."""
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

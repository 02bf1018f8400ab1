"""The faults of an embedded host: plain attributes that take effect at once, in any combination."""

from typing import Callable, Optional


class Faults:
    """The faults of one host. All are off at first; `clear` turns them off. They affect open and new connections.

        host.faults.delay = 0.2
        host.faults.error = b"SERVER_ERROR busy"
        host.faults.clear()
    """

    refuse: bool  # a new connection is reset at once
    mute: bool  # accepts, reads, runs the commands, and answers nothing
    deaf: bool  # does not read, so that the client's writes block in the end
    delay: float  # seconds before each answer
    drip: int  # answers are sent in pieces of so many bytes, one every 10 ms; 0: whole
    cut_after: Optional[int]  # a connection is closed after so many bytes of answers
    error: bytes  # this error line is the answer to every command, such as b"SERVER_ERROR busy"; no command is run
    full: bool  # stores are refused as if memory were full
    garbage: bytes  # these bytes are sent instead of each answer

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        object.__setattr__(self, "_changed", changed)
        self.clear()

    def clear(self) -> None:
        """Turns all faults off."""
        self.refuse = self.mute = self.deaf = self.full = False
        self.delay, self.drip, self.cut_after, self.error, self.garbage = 0.0, 0, None, b"", b""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in Faults.__annotations__:
            raise AttributeError(f"no fault is called {name!r}; there are {', '.join(Faults.__annotations__)}")
        object.__setattr__(self, name, value)
        object.__getattribute__(self, "_changed")()

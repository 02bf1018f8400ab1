"""What an embedded host may be made to do wrong: plain attributes that take effect at once, in any combination."""

from typing import Callable, Optional


class Faults:
    """All off at first; `clear` turns them off again. Connections that are open are concerned as well as new ones.

        host.faults.delay = 0.2
        host.faults.error = b"SERVER_ERROR busy"
        host.faults.clear()
    """

    refuse: bool  # a new connection is reset at once
    mute: bool  # accepts, reads, does as told, and answers nothing
    deaf: bool  # does not read, so that the client's writes come to a stop
    delay: float  # seconds before each answer
    drip: int  # an answer goes out in pieces of so many bytes, one every 10 ms; 0: whole
    cut_after: Optional[int]  # a connection is closed after so many bytes of answers
    error: bytes  # an error line in the place of every answer, such as b"SERVER_ERROR busy"; nothing is done
    full: bool  # whatever would be stored is refused for want of memory
    garbage: bytes  # goes out in place of each answer

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        object.__setattr__(self, "_changed", changed)
        self.clear()

    def clear(self) -> None:
        """A host that behaves."""
        self.refuse = self.mute = self.deaf = self.full = False
        self.delay, self.drip, self.cut_after, self.error, self.garbage = 0.0, 0, None, b"", b""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in Faults.__annotations__:
            raise AttributeError(f"no fault is called {name!r}; there are {', '.join(Faults.__annotations__)}")
        object.__setattr__(self, name, value)
        object.__getattribute__(self, "_changed")()

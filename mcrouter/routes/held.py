"""A large reply that waits: it comes in pieces (engine/bulk.py), and whether it is the answer is not known yet."""

from typing import Any, Callable, List


class Held:
    """Takes the lane that the reply comes from, so that it is not closed, and lets nothing come until somebody takes it
    in turn. To that one it is the lane; to the lane it is the reader."""

    def __init__(self, lane: Any) -> None:
        self._lane = lane
        self._reader: Any = None
        self._begun = b""
        self._broken = False
        self._changes: List[Callable[[bytes], bytes]] = []
        lane.take(self)

    # for who waits ------------------------------------------------------------------------------------------------

    def drop(self) -> None:
        """It is not the answer."""
        self._lane.close()

    # as a lane ----------------------------------------------------------------------------------------------------

    def begin_with(self, change: Callable[[bytes], bytes]) -> None:
        """Has the beginning go through `change`."""
        self._changes.append(change)

    def take(self, reader: Any) -> None:
        """It is the answer: the reader gets it."""
        self._reader = reader
        for change in self._changes:
            self._begun = change(self._begun)
        reader.piece(self._begun)
        if self._broken:
            reader.broken()
        else:
            self._lane.go_on()

    def go_on(self) -> None:
        """The reader can take more."""
        self._lane.go_on()

    def close(self) -> None:
        """The reader has gone."""
        self._lane.close()

    # as a reader --------------------------------------------------------------------------------------------------

    def piece(self, data: bytes) -> None:
        """Some of the reply."""
        if self._reader is None:
            self._begun += data
        else:
            self._reader.piece(data)

    def can_take(self) -> bool:
        """Whether more is to come."""
        return self._reader is not None and bool(self._reader.can_take())

    def ended(self, tail: bytes) -> None:
        """All of it has come."""
        self._reader.ended(tail)

    def broken(self) -> None:
        """The host is lost in the midst of it."""
        self._broken = True
        if self._reader is not None:
            self._reader.broken()

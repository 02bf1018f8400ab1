"""Holds back a large reply, which comes in pieces, until it is known to be the answer."""

from typing import Callable, List, Optional

from ...proto.reply import StreamedReply, StreamReader


class Held:
    """A stand-in between the host connection and the reader of a large reply.

    It takes the connection, so that this is not closed, and stops its data until a reader takes this object. For the
    reader it is the connection; for the connection it is the reader.
    """

    def __init__(self, connection: StreamedReply) -> None:
        self._connection = connection
        self._reader: Optional[StreamReader] = None
        self._begun = b""
        self._broken = False
        self._changes: List[Callable[[bytes], bytes]] = []
        connection.take(self)

    # for the route ------------------------------------------------------------------------------------------------

    def drop(self) -> None:
        """Drops the reply, which is not the answer."""
        self._connection.close()

    # as a connection ----------------------------------------------------------------------------------------------

    def begin_with(self, change: Callable[[bytes], bytes]) -> None:
        """Lets `change` rewrite the beginning of the reply."""
        self._changes.append(change)

    def take(self, reader: StreamReader) -> None:
        """Passes the reply to the reader: it is the answer."""
        self._reader = reader
        for change in self._changes:
            self._begun = change(self._begun)
        reader.piece(self._begun)
        if self._broken:
            reader.broken()
        else:
            self._connection.resume()

    def resume(self) -> None:
        """Lets more of the reply come: the reader has room."""
        self._connection.resume()

    def close(self) -> None:
        """Closes the connection: the reader has gone."""
        self._connection.close()

    # as a reader --------------------------------------------------------------------------------------------------

    def piece(self, data: bytes) -> None:
        """Takes a piece of the reply."""
        if self._reader is None:
            self._begun += data
        else:
            self._reader.piece(data)

    def can_take(self) -> bool:
        """Returns whether the reader has room for more."""
        return self._reader is not None and self._reader.can_take()

    def ended(self, tail: bytes) -> None:
        """Takes the end of the reply."""
        assert self._reader is not None
        self._reader.ended(tail)

    def broken(self) -> None:
        """Records that the connection was lost before the end of the reply."""
        self._broken = True
        if self._reader is not None:
            self._reader.broken()

"""The protocol of one connection to an embedded host, without I/O: bytes in, answers out, in step after any error.

Lines end at `\\n`. An incomplete line may have 2048 bytes, a complete one 16384; only get and gets may be longer. After
a longer line, and after HTTP, the connection is closed, as by memcached: so a browser cannot be misused as a client.
"""

from typing import Callable, List, Optional

from . import words as w
from .admin import Admin, is_watch
from .classic import Classic, Words
from .meta import Meta
from .reply import ERROR, Block, Reply
from .stats import Stats
from .store import Store

VERSION = "1.6.18"  # the version of memcached that the host imitates
_PARTIAL_MAX = 2048
_LINE_MAX = 16384
_INDENT_MAX = 100  # blanks before a long get
_GETS = (b"get", b"gets", b"gat", b"gats", b"bget")
_HTTP_SAFE = b"gsacidt"  # a verb that begins with one of these is never taken for HTTP


class Conversation:
    """One connection: `receive` takes the bytes that came and returns the bytes to send, until `closed` is set.

    While `error` is set, that line is the answer to every command that has an answer, and no command is run.
    """

    def __init__(self, store: Store, version: str = VERSION, connections: Callable[[], int] = lambda: 1) -> None:
        self.closed = False
        self.error = b""
        self._store, self._version = store, version
        self._classic, self._meta, self._admin = Classic(store), Meta(store), Admin(store)
        self._stats = Stats(store, version, connections)
        self._held = bytearray()
        self._alone = True  # no answer waits to be sent
        self._watches = False
        self._block: Optional[Block] = None
        self._missing = 0  # bytes of the block that are still to be dropped

    def receive(self, data: bytes) -> bytes:
        """Returns the answers to all commands that are now complete."""
        self._held += data
        out: List[bytes] = []
        while not (self.closed or self._watches):
            self._alone = not any(out)
            answer = self._next_line() if self._block is None else self._next_block(self._block)
            if answer is None:
                break
            out.append(answer)
        self._store.counts["bytes_read"] += len(data)
        self._store.counts["bytes_written"] += sum(map(len, out))
        return b"".join(out)

    def _next_block(self, block: Block) -> Optional[bytes]:
        if not block.keep:
            thrown = min(self._missing, len(self._held))
            del self._held[:thrown]
            self._missing -= thrown
            if self._missing:
                return None
            self._block = None
            return block.finish(b"")
        if len(self._held) < block.size:
            return None
        data = bytes(self._held[: block.size])
        del self._held[: block.size]
        self._block = None
        return block.finish(data)

    def _next_line(self) -> Optional[bytes]:
        end = self._held.find(b"\n")
        if (len(self._held) > _PARTIAL_MAX if end < 0 else end >= _LINE_MAX) and not self._is_long_get():
            self.closed = True
            return b""
        if end < 0:
            return None
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        if len(line) > 1 and line.endswith(b"\r"):
            line = line[:-1]
        words = w.split(line)
        answer = self._refuse(words) if self.error else self._answer(words)
        if isinstance(answer, bytes):
            return answer
        self._block, self._missing = answer, answer.size
        return b""

    def _is_long_get(self) -> bool:
        start = bytes(self._held[: _INDENT_MAX + 5])
        text = start.lstrip(b" ")
        return len(start) - len(text) <= _INDENT_MAX and text.startswith((b"get ", b"gets "))

    def _answer(self, words: Words) -> Reply:
        if not words or len(words[0]) < 2:
            return ERROR
        verb = words[0]
        if verb in _GETS:
            return self._classic.get(words)
        words = words[: w.WORDS_MAX]
        if len(verb) == 2 and verb[:1] == b"m":
            return self._meta.run(words)
        if verb == b"stats":
            return self._stats.run(words)
        if verb == b"version":
            return f"VERSION {self._version}\r\n".encode()
        if verb == b"quit":
            self.closed = True
            return b""
        answer = self._classic.run(words)
        if answer is None:
            answer = self._admin.run(words, self._alone)
            self._watches = answer is not None and is_watch(words)
        if answer is not None:
            return answer
        if words[-1].startswith(b"HTTP/") and verb[0] not in _HTTP_SAFE:
            self.closed = True
            return b""
        return ERROR

    def _refuse(self, words: Words) -> Reply:
        """Returns `error` instead of an answer. A conversation over an empty store finds out whether there is an
        answer, so that nothing changes in this store."""
        beside = Conversation(Store())
        answer = beside._answer(words)
        self.closed = beside.closed
        if isinstance(answer, bytes):
            shown = answer or (words[:1] and words[0].startswith(b"m"))  # errors of meta commands are never suppressed
            return self.error if shown and not self.closed else b""
        finish, shows = answer.finish, words[0] == b"ms"
        return answer._replace(finish=lambda data: self.error if shows or finish(data) else b"")

"""One client's conversation with an embedded host, without I/O: bytes in, answers out, in step after any mistake.

Lines end at `\\n`. A line that is not yet whole may have 2048 bytes, a whole one 16384; only get and gets may be
longer. Beyond that, and for HTTP, the conversation is over, as with memcached: no browser can be turned into a client.
"""

from typing import Callable, Dict, List, Optional

from . import words as w
from .classic import Classic, Words
from .meta import Meta
from .reply import BAD_FORMAT, ERROR, Block, Reply
from .store import Store

_PARTIAL_MAX = 2048
_LINE_MAX = 16384
_INDENT_MAX = 100  # blanks before a long get
_GETS = (b"get", b"gets", b"gat", b"gats", b"bget")
_SLAB_IDS = 64
_HTTP_SAFE = b"gsacidt"  # verbs beginning so are never taken for HTTP


class Conversation:
    """`receive` takes what came and gives what is to be sent; once `closed` is set nothing more is heard."""

    def __init__(self, store: Store, version: bytes = b"1.6.18") -> None:
        self.closed = False
        self._store, self._version = store, version
        self._classic, self._meta = Classic(store), Meta(store)
        self._held = bytearray()
        self._block: Optional[Block] = None
        self._missing = 0  # bytes of the block that have not been thrown away yet
        self._bare: Dict[bytes, Callable[[Words], bytes]] = {
            b"version": lambda words: b"VERSION %b\r\n" % self._version,
            b"quit": self._quit,
            b"shutdown": lambda words: b"ERROR: shutdown not enabled\r\n",
            b"stats": self._stats,
        }

    def receive(self, data: bytes) -> bytes:
        """The answers to all that is complete now."""
        self._held += data
        out: List[bytes] = []
        while not self.closed:
            answer = self._next_line() if self._block is None else self._next_block(self._block)
            if answer is None:
                break
            out.append(answer)
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
        answer = self._answer(w.split(line))
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
        if verb in self._bare:
            return self._bare[verb](words)
        answer = self._classic.run(words)
        if answer is not None:
            return answer
        if words[-1].startswith(b"HTTP/") and verb[0] not in _HTTP_SAFE:
            self.closed = True
            return b""
        return ERROR

    def _quit(self, words: Words) -> bytes:
        self.closed = True
        return b""

    def _stats(self, words: Words) -> bytes:
        if words[1:2] == [b"reset"]:
            return b"RESET\r\n"
        if words[1:2] == [b"detail"]:
            if words[2:3] in ([b"on"], [b"off"]):
                return b"OK\r\n"
            return b"END\r\n" if words[2:3] == [b"dump"] else b"CLIENT_ERROR usage: stats detail on|off|dump\r\n"
        if words[1:2] == [b"cachedump"]:
            return _cachedump(words)
        if words[1:2] not in ([], [b"settings"], [b"items"], [b"slabs"], [b"sizes"], [b"conns"]):
            return ERROR
        store = self._store
        facts: Dict[bytes, int] = {}
        if len(words) == 1:
            facts = {b"time": store.now(), b"curr_items": len(store.items), b"bytes": store.bytes}
        elif words[1] == b"settings":
            facts = {b"maxbytes": store.byte_max, b"item_size_max": store.item_max}
        lines = [b"STAT %b %d\r\n" % fact for fact in facts.items()]
        version = [b"STAT version %b\r\n" % self._version] if len(words) == 1 else []
        return b"".join([*version, *lines, b"END\r\n"])


def _cachedump(words: Words) -> bytes:
    """`stats cachedump SLAB LIMIT`: a dict has no slabs, so there is nothing in any of them."""
    if len(words) < 4:
        return b"CLIENT_ERROR bad command line\r\n"
    slab, limit = w.u32(words[2]), w.u32(words[3])
    if slab is None or limit is None:
        return BAD_FORMAT
    return b"END\r\n" if slab < _SLAB_IDS else b"CLIENT_ERROR Illegal slab id\r\n"

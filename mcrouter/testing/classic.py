"""The classic commands on a store: the words of a line in, a reply or a Block out.

`noreply` is the last word of a line, whatever its place, and also suppresses errors. But a line with the wrong number
of words is answered with ERROR before `noreply` is looked for.
"""

from typing import Callable, Dict, List, NamedTuple, Sequence

from . import arithmetic, reply
from .counts import DELETE, GET, HIT, SET
from .reply import BAD_FORMAT, ERROR, Block, Reply
from .store import Item, Store
from .words import KEY_MAX, i32, u32, u64

_USAGE = b"CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n"
_STORES = (b"set", b"add", b"replace", b"append", b"prepend")

Words = Sequence[bytes]


class _Command(NamedTuple):
    least: int  # words of its line, the verb included
    most: int
    run: Callable[[Words], Reply]


class Classic:
    """Runs the classic commands; `get` runs those with any number of keys."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._commands: Dict[bytes, _Command] = {
            **{verb: _Command(5, 6, self._set) for verb in _STORES},
            b"cas": _Command(6, 7, self._set),
            b"delete": _Command(2, 4, self._delete),
            b"incr": _Command(3, 4, self._arithmetic),
            b"decr": _Command(3, 4, self._arithmetic),
            b"touch": _Command(3, 4, self._touch),
            b"flush_all": _Command(1, 3, self._flush_all),
        }

    def run(self, words: Words) -> "Reply | None":
        """Returns the answer to a line; None if its verb is not one of these."""
        command = self._commands.get(words[0])
        if command is None:
            return None
        if not command.least <= len(words) <= command.most:
            return ERROR
        answer = command.run(words)
        if words[-1] != b"noreply" or (words[0] == b"delete" and len(words) == 2):
            return answer
        if isinstance(answer, bytes):
            return b""
        return answer._replace(finish=_silent(answer.finish))

    def get(self, words: Words) -> bytes:
        """Runs get, gets, gat, gats, and the old bget."""
        verb, keys = words[0], words[1:]
        if not keys:
            return ERROR
        touch, counts = verb.startswith(b"gat"), self._store.counts
        exptime = i32(words[1]) if touch else 0
        if exptime is None:
            return reply.BAD_EXPTIME
        out: List[bytes] = []
        for key in keys[1:] if touch else keys:
            if len(key) > KEY_MAX:
                return BAD_FORMAT
            item = self._store.read(key)
            counts["cmd_touch" if touch else "cmd_get"] += 1
            counts.looked_up("touch" if touch else "get", item is not None)
            counts.detail(GET, key)
            if item is None:
                continue
            counts.detail(HIT, key)
            if touch:
                item.expires = self._store.expires(exptime)
            cas = b" %d" % item.cas if verb.endswith(b"s") else b""
            out.append(b"VALUE %b %d %d%b\r\n%b\r\n" % (key, item.flags, len(item.value), cas, item.value))
        return b"".join([*out, b"END\r\n"])

    def _set(self, words: Words) -> Reply:
        verb, key = words[:2]
        flags, exptime, length = u32(words[2]), i32(words[3]), i32(words[4])
        cas = u64(words[5]) if verb == b"cas" else 0
        if len(key) > KEY_MAX or flags is None or exptime is None or length is None or cas is None:
            return BAD_FORMAT
        if not 0 <= length <= reply.LENGTH_MAX:
            return BAD_FORMAT
        self._store.counts.detail(SET, key)
        refusal = self._store.refusal(key, length, flags)
        if refusal:
            if verb == b"set":
                self._store.drop(key)
            return reply.swallow(length, refusal)
        item = Item(b"", flags, self._store.expires(exptime))
        return Block(length + 2, lambda data: self._stored(verb, key, item, cas, data))

    def _stored(self, verb: bytes, key: bytes, item: Item, cas: int, data: bytes) -> bytes:
        counts = self._store.counts
        counts["cmd_set"] += 1
        if not data.endswith(b"\r\n"):
            return reply.BAD_CHUNK
        item.value = data[:-2]
        old = self._store.find(key)
        if verb == b"cas":
            answer = b"NOT_FOUND\r\n" if old is None else b"EXISTS\r\n" if old.cas != cas else b""
            counts["cas_misses" if old is None else "cas_badval" if answer else "cas_hits"] += 1
            if answer:
                return answer
        if verb not in (b"set", b"cas") and (old is None) != (verb == b"add"):
            return b"NOT_STORED\r\n"
        if old is not None and verb in (b"append", b"prepend"):
            item = joined(old, item.value, verb == b"append")
        return b"STORED\r\n" if self._store.put(key, item) else reply.NO_MEMORY

    def _delete(self, words: Words) -> Reply:
        if list(words[2:]) not in ([], [b"0"], [b"noreply"], [b"0", b"noreply"]):
            return _USAGE
        if len(words[1]) > KEY_MAX:
            return BAD_FORMAT
        found = self._store.find(words[1]) is not None
        self._store.counts.detail(DELETE, words[1])
        self._store.counts.looked_up("delete", found)
        if not found:
            return b"NOT_FOUND\r\n"
        self._store.drop(words[1])
        return b"DELETED\r\n"

    def _arithmetic(self, words: Words) -> Reply:
        if len(words[1]) > KEY_MAX:
            return BAD_FORMAT
        delta = u64(words[2])
        if delta is None:
            return b"CLIENT_ERROR invalid numeric delta argument\r\n"
        outcome, _, text = arithmetic.add(self._store, words[1], delta, words[0] == b"decr")
        if outcome == arithmetic.DONE:
            return text + b"\r\n"
        return b"NOT_FOUND\r\n" if outcome == arithmetic.NOT_FOUND else reply.NON_NUMERIC

    def _touch(self, words: Words) -> Reply:
        if len(words[1]) > KEY_MAX:
            return BAD_FORMAT
        exptime = i32(words[2])
        if exptime is None:
            return reply.BAD_EXPTIME
        item = self._store.read(words[1])
        self._store.counts["cmd_touch"] += 1
        self._store.counts.looked_up("touch", item is not None)
        if item is None:
            return b"NOT_FOUND\r\n"
        item.expires = self._store.expires(exptime)
        return b"TOUCHED\r\n"

    def _flush_all(self, words: Words) -> Reply:
        self._store.counts["cmd_flush"] += 1
        bare = len(words) == (2 if words[-1] == b"noreply" else 1)
        delay = 0 if bare else i32(words[1])
        if delay is None:
            return reply.BAD_EXPTIME
        self._store.flush(delay)
        return b"OK\r\n"


def joined(old: Item, value: bytes, behind: bool) -> Item:
    """Returns the item that append (`behind`) or prepend make: with the old flags and expiry, and a joined value."""
    return Item(old.value + value if behind else value + old.value, old.flags, old.expires)


def _silent(finish: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def silent(data: bytes) -> bytes:
        finish(data)
        return b""

    return silent

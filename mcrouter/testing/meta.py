"""The meta commands mg, ms, md, ma, mn and me on a store: the words of a line in, a reply or a Block out.

`q` suppresses only the usual reply: EN of mg, HD of ms, md and ma, VA of ma; never an error or a hit of mg.
"""

import base64
from typing import List, Optional, Sequence

from . import arithmetic, reply
from .classic import joined
from .flags import FlagError, Flags
from .reply import BAD_FORMAT, ERROR, Block, Reply
from .store import Item, Store, size_of
from .words import KEY_MAX, decode_key, i32

_WORDS_MAX = 19  # of a line
_OPAQUE_MAX = 32  # bytes, the O included
_U32 = 1 << 32

Words = Sequence[bytes]


class Meta:
    """Runs the meta commands."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._commands = {b"mg": self._mg, b"ms": self._ms, b"md": self._md, b"ma": self._ma}

    def run(self, words: Words) -> Reply:
        """Returns the answer to a line whose verb is `m` and one more byte."""
        verb = words[0]
        if verb == b"mn":
            return b"MN\r\n"
        if verb == b"me":
            return self._me(words)
        command = self._commands.get(verb)
        if command is None or len(words) < 2:
            return ERROR
        if len(words[1]) > KEY_MAX or (verb == b"ms" and len(words) == 2):
            return BAD_FORMAT
        if len(words) > _WORDS_MAX:
            return b"CLIENT_ERROR options flags %btoo long\r\n" % (b"are " if verb == b"mg" else b"")
        try:
            return command(words)
        except FlagError as problem:
            return b"CLIENT_ERROR %b\r\n" % str(problem).encode()

    def _mg(self, words: Words) -> bytes:
        flags = Flags(words[1], words[2:])
        counts = self._store.counts
        item = self._store.find(flags.key)
        created = item is None and "N" in flags
        if created:
            item = Item(b"", 0, 0)
            self._store.put(flags.key, item)
        kind = "touch" if "T" in flags and item is not None else "get"
        counts[f"cmd_{kind}"] += 1
        counts.looked_up(kind, item is not None)
        if item is None:
            echo = _echo(flags, "Ok")
            return b"" if "q" in flags else b"EN%b\r\n" % echo
        head = b"VA %d" % len(item.value) if "v" in flags else b"HD"
        line = head + self._describe(item, flags, created) + b"\r\n"
        if "u" not in flags:
            self._store.bump(item)
        return line + item.value + b"\r\n" if "v" in flags else line

    def _describe(self, item: Item, flags: Flags, created: bool) -> bytes:
        """Returns the flags after HD or VA of an mg hit; sets the expiry of T and N, and the right to recache."""
        out: List[bytes] = []
        won = created
        for word in flags.order:
            letter = chr(word[0])
            if letter == "T" or (letter == "N" and created):
                item.expires = self._store.expires(flags.numbers[letter])
            elif letter == "R":
                ends = self._store.expires(flags.numbers["R"])
                won = won or (not item.token_sent and not created and 0 < item.expires < ends)
            elif letter == "k":
                out.append(_key_echo(flags.key, item.binary))
            elif letter in "stcflhO":
                out.append(self._echo_of(item, letter, word))
        if item.token_sent:
            out.append(b" Z")
        if item.stale:
            out.append(b" X")
            won = won or not item.token_sent
        if won:
            out.append(b" W")
            item.token_sent = True
        return b"".join(out)

    def _echo_of(self, item: Item, letter: str, word: bytes) -> bytes:
        if letter == "O":
            return _opaque(word)
        if letter == "t":
            return self._left(item)
        now = self._store.now()
        number = {"s": len(item.value), "c": item.cas, "f": item.flags, "l": now - item.time, "h": int(item.fetched)}
        return b" %b%d" % (letter.encode(), number[letter])

    def _left(self, item: Item) -> bytes:
        return b" t%d" % ((item.expires - self._store.now()) % _U32) if item.expires else b" t-1"

    def _ms(self, words: Words) -> Reply:
        length = i32(words[2])
        if length is None or not 0 <= length <= reply.LENGTH_MAX:
            return BAD_FORMAT
        try:
            flags = Flags(words[1], words[3:])
            _check_opaque(flags)
            if flags.mode not in (b"", b"S", b"E", b"A", b"P", b"R"):
                raise FlagError("invalid mode for ms M token")
        except FlagError as problem:
            return reply.swallow(length, b"CLIENT_ERROR %b\r\n" % str(problem).encode())
        item = Item(b"", flags.numbers.get("F", 0), self._store.expires(flags.numbers.get("T", 0)))
        item.binary = "b" in flags
        refusal = self._store.refusal(flags.key, length, item.flags)
        if refusal:
            self._store.drop(flags.key)
            return reply.swallow(length, refusal)
        return Block(length + 2, lambda data: self._stored(flags, item, data))

    def _stored(self, flags: Flags, item: Item, data: bytes) -> bytes:
        self._store.counts["cmd_set"] += 1
        if not data.endswith(b"\r\n"):
            return reply.BAD_CHUNK
        item.value = data[:-2]
        code, item = self._outcome(flags, self._store.find(flags.key), item)
        if code == b"HD" and not self._store.put(flags.key, item):
            return reply.NO_MEMORY
        if code == b"HD" and "q" in flags:
            return b""
        return code + _echo(flags, "Okc", item.cas if code == b"HD" else 0) + b"\r\n"

    def _outcome(self, flags: Flags, old: Optional[Item], item: Item) -> "tuple[bytes, Item]":
        """Returns the code of the answer to an ms, and the item to store if that is HD."""
        mode, cas = flags.mode or b"S", flags.numbers.get("C")
        if cas is not None and mode in b"SR":
            stale = old is not None and old.cas != cas
            self._store.counts["cas_misses" if old is None else "cas_badval" if stale else "cas_hits"] += 1
            if old is None:
                return b"NF", item
            if old.cas != cas and not ("I" in flags and cas < old.cas):
                return b"EX", item
            if old.cas != cas:
                item.stale, item.token_sent = True, old.token_sent
            return b"HD", item
        if mode == b"E":
            return (b"HD" if old is None else b"NS"), item
        if mode == b"S":
            return b"HD", item
        if old is None:
            return b"NS", item
        if mode == b"R":
            return b"HD", item
        if cas and old.cas != cas:
            return b"EX", item
        return b"HD", joined(old, item.value, mode == b"A")

    def _md(self, words: Words) -> bytes:
        flags = _flags(words)
        echo = _echo(flags, "Ok")
        item = self._store.find(flags.key)
        found = item is not None and flags.numbers.get("C", item.cas) == item.cas
        if not found or "I" not in flags:
            self._store.counts.looked_up("delete", found)
        if item is None or not found:
            return b"%b%b\r\n" % (b"NF" if item is None else b"EX", echo)
        if "I" in flags:
            if "T" in flags:
                item.expires = self._store.expires(flags.numbers["T"])
            item.stale, item.token_sent = True, False
            self._store.renew(item)
        else:
            self._store.drop(flags.key)
        return b"" if "q" in flags else b"HD%b\r\n" % echo

    def _ma(self, words: Words) -> bytes:
        flags = _flags(words)
        if flags.mode not in (b"", b"I", b"+", b"D", b"-"):
            raise FlagError("invalid mode for ma M token")
        delta, down, cas = flags.numbers.get("D", 1), flags.mode in (b"D", b"-"), flags.numbers.get("C", 0)
        outcome, item, text = arithmetic.add(self._store, flags.key, delta, down, cas)
        created = outcome == arithmetic.NOT_FOUND and "N" in flags
        if created:
            text = b"%d" % flags.numbers.get("J", 0)
            item = Item(text, 0, 0)
            self._store.put(flags.key, item)
        if outcome == arithmetic.NON_NUMERIC:
            return reply.NON_NUMERIC
        if item is None:
            code = b"EX" if outcome == arithmetic.EXISTS else b"NF"
            return code + _echo(flags, "Ok") + b"\r\n"
        echo = self._number_echo(flags, item, created)
        if "q" in flags and not created:
            return b""
        return b"VA %d%b\r\n%b\r\n" % (len(text), echo, text) if "v" in flags else b"HD%b\r\n" % echo

    def _number_echo(self, flags: Flags, item: Item, created: bool) -> bytes:
        out: List[bytes] = []
        for word in flags.order:
            letter = chr(word[0])
            if letter == "T" or (letter == "N" and created):
                item.expires = self._store.expires(flags.numbers[letter])
            elif letter == "k":
                out.append(_key_echo(flags.key, "b" in flags))
            elif letter in "ctO":
                out.append(self._echo_of(item, letter, word))
        return b"".join(out)

    def _me(self, words: Words) -> bytes:
        self._store.counts["cmd_meta"] += 1
        if len(words) < 2 or len(words[1]) > KEY_MAX:
            return BAD_FORMAT
        key: Optional[bytes] = words[1]
        if words[2:3] == [b"b"]:
            key = decode_key(words[1])
        if key is None:
            return BAD_FORMAT
        item = self._store.find(key)
        if item is None:
            return b"EN\r\n"
        now = self._store.now()
        ends, fetched = now - item.expires if item.expires else -1, b"yes" if item.fetched else b"no"
        name = base64.b64encode(key) if item.binary else key
        size = size_of(key, item.value, item.flags)
        return b"ME %b exp=%d la=%d cas=%d fetch=%b cls=1 size=%d\r\n" % (
            name, ends, now - item.time, item.cas, fetched, size)  # fmt: skip


def _flags(words: Words) -> Flags:
    """Returns the flags of md or ma, which do not say in the error which flag is wrong."""
    try:
        return Flags(words[1], words[2:])
    except FlagError:
        raise FlagError("invalid or duplicate flag") from None


def _check_opaque(flags: Flags) -> None:
    for word in flags.order:
        if word[:1] == b"O":
            _opaque(word)


def _opaque(word: bytes) -> bytes:
    if len(word) > _OPAQUE_MAX:
        raise FlagError("opaque token too long")
    return b" " + word


def _key_echo(key: bytes, binary: bool) -> bytes:
    return b" k%b b" % base64.b64encode(key) if binary else b" k" + key


def _echo(flags: Flags, letters: str, cas: int = 0) -> bytes:
    """Returns those of O, k and c that the line asks for, in its order."""
    out: List[bytes] = []
    for word in flags.order:
        letter = chr(word[0])
        if letter not in letters:
            continue
        if letter == "O":
            out.append(_opaque(word))
        elif letter == "k":
            out.append(_key_echo(flags.key, "b" in flags))
        else:
            out.append(b" c%d" % cas)
    return b"".join(out)

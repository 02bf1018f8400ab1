"""A client's keys, its requests, and what each may be answered with.

Values say whose they are, so that a foreign or torn one is recognised. A request knows its one right answer, given that
its client alone writes the key and that all requests before it were done; `excuse` says what is wrong with an answer
where hosts fail: then it may also be a miss, an older value of the same key, or one SERVER_ERROR line.
"""

import re
from random import Random
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

_SIZES = [64] * 12 + [200] * 4 + [1000, 1448, 2000, 4000, 4095, 4096, 4200, 9000, 16384, 16500, 40000, 70000]
_HEAD = re.compile(rb"([^ ]+) (\d+) (\d+) (\d):")
_BLOCK = re.compile(rb"VALUE ([^ \r\n]+) (\d+) (\d+)(?: \d+)?\r\n")
_VALUE = re.compile(rb"VA (\d+)((?: [^ \r\n]+)*)\r\n")
_CAS = re.compile(rb"(VALUE [^ \r\n]+ \d+ \d+) \d+\r\n")
_IMITATION = b"\r\nEND\r\nVALUE someone.else 0 5\r\nwrong\r\nEND\r\nSTORED\r\nHD\r\nVA 5 ksomeone.else\r\nwrong"
_WORDS = {
    b"set": (b"STORED", b"NOT_STORED", b"EXISTS", b"NOT_FOUND"),
    b"add": (b"STORED", b"NOT_STORED", b"EXISTS", b"NOT_FOUND"),
    b"ms": (b"NS", b"EX", b"NF"),
    b"md": (b"NF", b"EX"),
    b"mg": (b"EN",),
    b"ma": (b"NF", b"NS", b"EX"),
    b"delete": (b"DELETED", b"NOT_FOUND"),
    b"incr": (b"NOT_FOUND",),
    b"touch": (b"TOUCHED", b"NOT_FOUND"),
}


class Malformed(Exception):
    """The bytes are no answer."""


def make_value(key: bytes, sequence: int, size: int, imitates: bool) -> bytes:
    """A value of so many bytes that says what it is; the rest imitates replies, or belongs to this sequence."""
    head = b"%b %d %d %d:" % (key, sequence, size, imitates)
    filler = _IMITATION if imitates else b"%d." % sequence
    return (head + filler * (size // len(filler) + 1))[:size]


def is_value_of(key: bytes, data: bytes) -> bool:
    """Whether such a value was once made for this key, and is whole."""
    head = _HEAD.match(data)
    return head is not None and head[1] == key and data == make_value(key, int(head[2]), int(head[3]), head[4] == b"1")


def cut_answer(data: bytes) -> Optional[bytes]:
    """The first whole answer in `data`, None while there is none. Raises Malformed."""
    at = 0
    while True:
        end = data.find(b"\n", at) + 1
        if not end:
            return None
        line = data[at:end]
        block, value = _BLOCK.fullmatch(line), _VALUE.fullmatch(line)
        size = int(block[3]) if block else int(value[1]) if value else -2
        if not line.endswith(b"\r\n") or (size < 0 and line.startswith((b"VALUE ", b"VA "))):
            raise Malformed(f"no line of an answer: {line!r}")
        if at and size < 0 and line != b"END\r\n":
            raise Malformed(f"behind values comes {line!r}")
        at = end + size + 2
        if len(data) < at:
            return None
        if data[at - 2 : at] != b"\r\n":
            raise Malformed(f"a value that does not end where it should: {line!r} {data[at - 20 : at]!r}")
        if not block:
            return data[:at]


class Key:
    """A key of a client; `value` is what it should have, None where it should have nothing."""

    def __init__(self, name: bytes, counts: bool) -> None:
        self.name, self.counts = name, counts
        self.value: Optional[bytes] = None
        self.sequence = 0

    def fresh(self, draw: Random, imitates: bool) -> bytes:
        """A new value."""
        self.sequence += 1
        if self.counts:
            return b"%d" % (self.sequence * 1000)
        return make_value(self.name, self.sequence, draw.choice(_SIZES), imitates)

    def owns(self, data: bytes) -> bool:
        """Whether it may have been its value. A number cannot say whose it is."""
        return data.isdigit() if self.counts else is_value_of(self.name, data)


class Request(NamedTuple):
    """One request; a `quiet` one has no answer."""

    data: bytes
    keys: Sequence[Key]
    right: bytes
    quiet: bool = False

    def is_right(self, answer: bytes) -> bool:
        """Whether it is the one right answer; a cas unique may be any."""
        return (_CAS.sub(rb"\1 CAS\r\n", answer) if self.data.startswith(b"gets ") else answer) == self.right

    def excuse(self, answer: bytes) -> str:
        """What is wrong with the answer even where hosts fail; empty if nothing is."""
        if answer.startswith(b"SERVER_ERROR "):
            return ""
        verb, *words = self.data.partition(b"\r\n")[0].split()
        if verb in (b"get", b"gets", b"gat"):
            return self._excuse_values(answer)
        if verb in (b"mg", b"ms", b"md", b"ma"):
            return self._excuse_meta(verb, words, answer)
        line = answer[:-2]
        return "" if line in _WORDS[verb] or (verb == b"incr" and line.isdigit()) else f"no answer to {verb!r}"

    def _excuse_values(self, answer: bytes) -> str:
        at, left = 0, list(self.keys)
        for name, size, end in _blocks(answer):
            while left and left[0].name != name:
                del left[0]
            if not left:
                return f"{name!r} was not asked for there"
            if not left.pop(0).owns(answer[end : end + size]):
                return f"not a value of {name!r}"
            at = end + size + 2
        return "" if answer[at:] == b"END\r\n" else "no END"

    def _excuse_meta(self, verb: bytes, words: List[bytes], answer: bytes) -> str:
        line, _, data = answer.partition(b"\r\n")
        word, *told = line.split()
        names = {b"k" + self.keys[0].name if flag == b"k" else flag for flag in words if flag[:1] in b"kO"}
        named = {flag for flag in told if flag[:1] in b"kO"}
        if word == b"VA" and b"v" in words:
            if not self.keys[0].owns(data[:-2]):
                return "not a value of the key"
        elif word not in _WORDS[verb] and (word != b"HD" or b"v" in words):
            return f"no answer to {verb!r}"
        if not named <= names or (named < names and word in (b"VA", b"HD")):  # a miss need not name anything
            return f"it names {named}, not {names}"
        return ""


def _blocks(answer: bytes) -> List[Tuple[bytes, int, int]]:
    """(key, size, where the data begins) of each VALUE block."""
    found, at = [], 0
    while True:
        head = _BLOCK.match(answer, at)
        if head is None:
            return found
        found.append((head[1], int(head[3]), head.end()))
        at = head.end() + int(head[3]) + 2


class Draw:
    """Draws a client's requests, up to `pipeline` at a time. `imitates` allows values that look like replies."""

    def __init__(self, name: str, prefix: bytes, pipeline: int, imitates: bool) -> None:
        self._random = Random(name)
        self._pipeline = pipeline
        self._imitates = imitates
        self._opaque = 0
        self.keys = [Key(b"%b.%d" % (prefix, place), place % 5 == 4) for place in range(10)]
        self._makers: List[Tuple[int, Callable[[Key], Request]]] = [
            (30, self._get), (6, self._gets), (12, self._get_many), (14, self._meta_get), (3, self._meta_size),
            (14, self._set), (6, self._meta_set), (3, self._quiet_set), (4, self._add), (4, self._delete), (2, self._meta_delete),
            (5, self._incr), (3, self._meta_incr), (3, self._touch),
        ]  # fmt: skip

    def batch(self) -> List[Request]:
        """The requests that are sent together."""
        draw = self._random
        count = 1 if draw.random() < 0.5 else draw.randint(2, self._pipeline)
        if draw.random() < 0.2:  # a run
            return [self._get(draw.choice(self.keys)) for _ in range(count)]
        makers = draw.choices([maker for _, maker in self._makers], [weight for weight, _ in self._makers], k=count)
        return [maker(draw.choice(self.keys)) for maker in makers]

    def _block(self, key: Key, cas: bytes = b"") -> bytes:
        return b"" if key.value is None else b"VALUE %b 7 %d%b\r\n%b\r\n" % (key.name, len(key.value), cas, key.value)

    def _get(self, key: Key) -> Request:
        return Request(b"get %b\r\n" % key.name, [key], self._block(key) + b"END\r\n")

    def _gets(self, key: Key) -> Request:
        keys = self._random.sample(self.keys, self._random.choice([1, 1, 3]))
        blocks = b"".join(self._block(key, b" CAS") for key in keys)
        return Request(b"gets %b\r\n" % b" ".join(key.name for key in keys), keys, blocks + b"END\r\n")

    def _get_many(self, key: Key) -> Request:
        keys = self._random.sample(self.keys, self._random.randint(2, len(self.keys)))
        blocks = b"".join(map(self._block, keys))
        verb = self._random.choice([b"get", b"get", b"gat 0"])
        return Request(b"%b %b\r\n" % (verb, b" ".join(key.name for key in keys)), keys, blocks + b"END\r\n")

    def _names(self, key: Key) -> Tuple[bytes, bytes]:
        """Flags that have the answer name its request: as they are asked for, and as they are answered."""
        self._opaque += 1
        opaque = b" O%d" % self._opaque
        return self._random.choice([
            (b" k", b" k" + key.name),
            (opaque, opaque),
            (b" k" + opaque, b" k" + key.name + opaque),
        ])  # fmt: skip

    def _meta_get(self, key: Key) -> Request:
        asked, told = self._names(key)
        if key.value is None:
            right = b"EN%b\r\n" % told
        else:
            right = b"VA %d%b f7\r\n%b\r\n" % (len(key.value), told, key.value)
        return Request(b"mg %b%b f v\r\n" % (key.name, asked), [key], right)

    def _meta_size(self, key: Key) -> Request:
        asked, told = self._names(key)
        right = b"EN%b\r\n" % told if key.value is None else b"HD%b s%d\r\n" % (told, len(key.value))
        return Request(b"mg %b%b s\r\n" % (key.name, asked), [key], right)

    def _written(self, key: Key) -> bytes:
        key.value = key.fresh(self._random, self._imitates and self._random.random() < 0.2)
        return key.value

    def _set(self, key: Key) -> Request:
        value = self._written(key)
        return Request(b"set %b 7 0 %d\r\n%b\r\n" % (key.name, len(value), value), [key], b"STORED\r\n")

    def _quiet_set(self, key: Key) -> Request:
        value = self._written(key)
        return Request(b"set %b 7 0 %d noreply\r\n%b\r\n" % (key.name, len(value), value), [key], b"", True)

    def _meta_set(self, key: Key) -> Request:
        value = self._written(key)
        asked, told = self._names(key) if self._random.random() < 0.5 else (b"", b"")
        return Request(b"ms %b %d F7%b\r\n%b\r\n" % (key.name, len(value), asked, value), [key], b"HD%b\r\n" % told)

    def _add(self, key: Key) -> Request:
        value = key.fresh(self._random, False)
        right = b"NOT_STORED\r\n" if key.value is not None else b"STORED\r\n"
        key.value = value if key.value is None else key.value
        return Request(b"add %b 7 0 %d\r\n%b\r\n" % (key.name, len(value), value), [key], right)

    def _delete(self, key: Key) -> Request:
        right = b"NOT_FOUND\r\n" if key.value is None else b"DELETED\r\n"
        key.value = None
        return Request(b"delete %b\r\n" % key.name, [key], right)

    def _meta_delete(self, key: Key) -> Request:
        asked, told = self._names(key)
        right = b"NF\r\n" if key.value is None else b"HD\r\n"
        key.value = None
        return Request(b"md %b%b\r\n" % (key.name, asked), [key], right.replace(b"\r\n", told + b"\r\n"))

    def _counted(self, key: Key) -> None:
        if key.value is not None:
            key.value = b"%d" % (int(key.value) + 1)

    def _meta_incr(self, key: Key) -> Request:
        if not key.counts:
            return self._get_many(key)
        self._counted(key)
        asked, told = self._names(key)
        right = b"NF%b\r\n" % told if key.value is None else b"VA %d%b\r\n%b\r\n" % (len(key.value), told, key.value)
        return Request(b"ma %b%b v\r\n" % (key.name, asked), [key], right)

    def _incr(self, key: Key) -> Request:
        if not key.counts:
            return self._get(key)
        self._counted(key)
        return Request(b"incr %b 1\r\n" % key.name, [key], (key.value or b"NOT_FOUND") + b"\r\n")

    def _touch(self, key: Key) -> Request:
        right = b"NOT_FOUND\r\n" if key.value is None else b"TOUCHED\r\n"
        return Request(b"touch %b 0\r\n" % key.name, [key], right)

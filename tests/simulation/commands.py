"""What a client asks, and what it must be answered: a model of the client's own keys."""

from random import Random
from typing import Dict, List, NamedTuple, Optional

from .hosts import unique_of
from .policies import Policy

_KEYS = 4  # of a client
_IMITATION = b"\r\nEND\r\nVALUE c0k0 0 3\r\nBAD\r\nEND\r\nSTORED\r\nEN\r\nHD\r\nVALUE c1k1 0 1\r\nX\r\nEND\r\n"
"""What a value may be made of: when the place in a stream is lost, a client is given this for its own."""
_WEIGHTS = {
    "get": 32, "get_several": 9, "gets": 3, "meta_get": 3, "meta_get_described": 3,
    "set": 33, "add": 4, "cas": 3, "meta_set": 2, "meta_set_described": 2, "delete": 6, "meta_delete": 2, "touch": 2,
    "number": 2, "nonsense": 2, "meta_noop": 2,
}  # fmt: skip


class Asked(NamedTuple):
    """A command as it is sent, and its answer while no host fails."""

    wire: bytes
    answer: bytes

    def is_silent(self) -> bool:
        """Whether there is no answer to it."""
        return self.wire[: self.wire.index(b"\r")].endswith(b" noreply")


class Commands:
    """Draws commands for the keys of one client. Every value says whose it is, of which key, and is there once."""

    def __init__(self, chance: Random, client: int, sizes: List[int], policy: Policy) -> None:
        self._chance, self._client, self._sizes, self._keeps = chance, client, sizes, policy.keeps
        self._values: Dict[bytes, bytes] = {}
        self._count = 0  # of values, and of opaques
        self._sum: Optional[int] = None  # the number under the key that is counted on
        commands = [kind for kind in _WEIGHTS if kind not in policy.without]
        self._draws = [getattr(self, f"_{kind}") for kind in commands]
        self._weights = [_WEIGHTS[kind] for kind in commands]

    def draw(self) -> Asked:
        """The next command."""
        asked: Asked = self._chance.choices(self._draws, self._weights)[0]()
        return asked

    # parts --------------------------------------------------------------------------------------------------------

    def _key(self) -> bytes:
        return b"c%dk%d" % (self._client, self._chance.randrange(_KEYS))

    def _value(self, key: bytes) -> bytes:
        self._count += 1
        text = begin_of_value(self._client, key) + b"%d>" % self._count
        most = self._chance.choice(self._sizes)
        size = most if self._chance.random() < 0.4 else self._chance.randint(0, most)  # the same size comes back
        filling = self._chance.choice((text, text, _IMITATION))
        return text + (filling * (size // len(filling) + 1))[: max(0, size - len(text))]

    def _noreply(self) -> bytes:
        return b" noreply" if self._chance.random() < 0.25 else b""

    def _keep(self, key: bytes, value: bytes) -> None:
        if self._keeps:
            self._values[key] = value

    def _opaque(self) -> bytes:
        self._count += 1
        return b"O%d" % self._count

    # reads --------------------------------------------------------------------------------------------------------

    def _get(self) -> Asked:
        return self._get_of([self._key()])

    def _get_several(self) -> Asked:
        return self._get_of([self._key() for _ in range(self._chance.randint(2, 6))])

    def _get_of(self, keys: List[bytes]) -> Asked:
        values = self._values
        found = [b"VALUE %b 0 %d\r\n%b\r\n" % (key, len(values[key]), values[key]) for key in keys if key in values]
        return Asked(b"get %b\r\n" % b" ".join(keys), b"".join(found) + b"END\r\n")

    def _gets(self) -> Asked:
        key = self._key()
        value = self._values.get(key)
        found = b"VALUE %b 0 %d %d\r\n%b\r\n" % (key, len(value), unique_of(value), value) if value else b""
        return Asked(b"gets %b\r\n" % key, found + b"END\r\n")

    def _meta_get(self) -> Asked:
        return self._meta_get_with(self._key(), b"", b"")

    def _meta_get_described(self) -> Asked:
        key, opaque = self._key(), self._opaque()
        return self._meta_get_with(key, b" k %b" % opaque, b" k%b %b" % (key, opaque))

    def _meta_get_with(self, key: bytes, flags: bytes, echo: bytes) -> Asked:
        value = self._values.get(key)
        found = b"VA %d%b\r\n%b\r\n" % (len(value), echo, value) if value else b"EN%b\r\n" % echo
        return Asked(b"mg %b v%b\r\n" % (key, flags), found)

    # writes -------------------------------------------------------------------------------------------------------

    def _set(self) -> Asked:
        key, noreply = self._key(), self._noreply()
        value = self._value(key)
        self._keep(key, value)
        answer = b"STORED\r\n" if self._keeps else b"NOT_STORED\r\n"
        return _store(b"set", key, value, noreply, answer)

    def _add(self) -> Asked:
        key, noreply = self._key(), self._noreply()
        value, known = self._value(key), key in self._values
        if not known:
            self._keep(key, value)
        return _store(b"add", key, value, noreply, b"STORED\r\n" if self._keeps and not known else b"NOT_STORED\r\n")

    def _cas(self) -> Asked:
        key, right = self._key(), self._chance.random() < 0.6
        value, old = self._value(key), self._values.get(key)
        unique = unique_of(old) if old and right else 1
        if old is None:
            answer = b"NOT_FOUND\r\n" if self._keeps else b"NOT_STORED\r\n"
        else:
            answer = b"STORED\r\n" if right else b"EXISTS\r\n"
            if right:
                self._keep(key, value)
        return _store(b"cas", key, value, b" %d" % unique, answer)

    def _meta_set(self) -> Asked:
        return self._meta_set_with(self._key(), b"", b"")

    def _meta_set_described(self) -> Asked:
        key, opaque = self._key(), self._opaque()
        return self._meta_set_with(key, b" k %b" % opaque, b" k%b %b" % (key, opaque))

    def _meta_set_with(self, key: bytes, flags: bytes, echo: bytes) -> Asked:
        value = self._value(key)
        self._keep(key, value)
        code = b"HD" if self._keeps else b"NS"
        return Asked(b"ms %b %d%b\r\n%b\r\n" % (key, len(value), flags, value), code + echo + b"\r\n")

    def _delete(self) -> Asked:
        key, noreply = self._key(), self._noreply()
        known = self._values.pop(key, None) is not None
        answer = b"" if noreply else b"DELETED\r\n" if known else b"NOT_FOUND\r\n"
        return Asked(b"delete %b%b\r\n" % (key, noreply), answer)

    def _meta_delete(self) -> Asked:
        key = self._key()
        return Asked(b"md %b\r\n" % key, b"NF\r\n" if self._values.pop(key, None) is None else b"HD\r\n")

    def _touch(self) -> Asked:
        key = self._key()
        return Asked(b"touch %b 0\r\n" % key, b"TOUCHED\r\n" if key in self._values else b"NOT_FOUND\r\n")

    def _number(self) -> Asked:
        """Counts up, or begins to."""
        key = b"c%dn" % self._client
        if self._sum is None and self._chance.random() < 0.5:
            self._sum = 5 if self._keeps else None
            return _store(b"set", key, b"5", b"", b"STORED\r\n" if self._keeps else b"NOT_STORED\r\n")
        if self._sum is not None:
            self._sum += 3
        return Asked(b"incr %b 3\r\n" % key, b"NOT_FOUND\r\n" if self._sum is None else b"%d\r\n" % self._sum)

    # neither ------------------------------------------------------------------------------------------------------

    def _nonsense(self) -> Asked:
        return Asked(b"nonsense\r\n", b"ERROR\r\n")

    def _meta_noop(self) -> Asked:
        return Asked(b"mn\r\n", b"MN\r\n")


def begin_of_value(client: int, key: bytes) -> bytes:
    """What every value begins with that this client has stored under the key."""
    return b"<c%d %b #" % (client, key)


def _store(verb: bytes, key: bytes, value: bytes, tail: bytes, answer: bytes) -> Asked:
    wire = b"%b %b 0 0 %d%b\r\n%b\r\n" % (verb, key, len(value), tail, value)
    return Asked(wire, b"" if tail == b" noreply" else answer)

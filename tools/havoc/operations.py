"""Requests that know what they may be answered with, and what each answer says about their keys."""

from typing import Optional, Sequence, Set

from .keys import OLDER, WRONG, Finding, Key, short
from .wire import Reply

_BARRIER = b"nobody.has.ever.set.this"


class Operation:
    """A request; `quiet` ones are not answered."""

    data = b""
    quiet = False

    def answered(self, reply: Reply) -> Optional[Finding]:
        """Takes the answer; what is wrong with it."""
        raise NotImplementedError

    def unanswered(self) -> None:
        """There is no answer, or one that leaves it open whether it was done."""

    def _unexpected(self, reply: Reply) -> Finding:
        self.unanswered()
        answer = reply.line + b" with values" * bool(reply.values)
        return Finding(WRONG, f"{short(self.data[:60])} is answered with {short(answer)}")


class Store(Operation):
    """set"""

    def __init__(self, key: Key, size: int, quiet: bool = False) -> None:
        self._key = key
        self._sequence = key.next()
        self._value = key.fresh(self._sequence, size)
        self.quiet = quiet
        head = (key.name, key.owner, len(self._value), b" noreply" if quiet else b"")
        self.data = b"set %b %d 0 %d%b\r\n" % head + self._value + b"\r\n"

    def answered(self, reply: Reply) -> Optional[Finding]:
        """STORED."""
        if reply.failed:
            self.unanswered()
        elif reply == (b"STORED", []):
            self._key.acknowledge(self._sequence, {self._value})
        else:
            return self._unexpected(reply)
        return None

    def unanswered(self) -> None:
        """It may be there."""
        self._key.allow({self._value})


class Delete(Operation):
    """delete. That it was not found says that it is not there now."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._sequence = key.next()
        self.data = b"delete %b\r\n" % key.name

    def answered(self, reply: Reply) -> Optional[Finding]:
        """DELETED or NOT_FOUND."""
        if reply.failed:
            return None
        if reply.values or reply.line not in (b"DELETED", b"NOT_FOUND"):
            return self._unexpected(reply)
        self._key.acknowledge(self._sequence, set())
        return None


class _Change(Operation):
    """A write that needs a value to work on."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._sequence = key.next()

    def _changed(self) -> Set[bytes]:
        """The values that it can make."""
        raise NotImplementedError

    def unanswered(self) -> None:
        """It may be done; also when it was not found: by a host that has the value and did not answer in time."""
        self._key.allow(self._changed())


class Append(_Change):
    """append"""

    def __init__(self, key: Key, size: int) -> None:
        super().__init__(key)
        self._tail = key.fresh(self._sequence, size)
        self.data = b"append %b 0 0 %d\r\n%b\r\n" % (key.name, len(self._tail), self._tail)

    def _changed(self) -> Set[bytes]:
        return {value + self._tail for value in self._key.possible}

    def answered(self, reply: Reply) -> Optional[Finding]:
        """STORED or NOT_STORED."""
        if reply.failed or reply == (b"NOT_STORED", []):
            self.unanswered()
            return None
        if reply != (b"STORED", []):
            return self._unexpected(reply)
        possible = self._changed()
        expected = self._key.expected()
        self._key.acknowledge(self._sequence, possible)
        return None if possible else Finding(OLDER, f"{short(self.data[:60])} found a value: {expected}")


class Increment(_Change):
    """incr"""

    def __init__(self, key: Key) -> None:
        super().__init__(key)
        self.data = b"incr %b 1\r\n" % key.name

    def _changed(self) -> Set[bytes]:
        return {b"%d" % (int(value) + 1) for value in self._key.possible}

    def unanswered(self) -> None:
        """As every change."""
        self._key.grow()
        super().unanswered()

    def answered(self, reply: Reply) -> Optional[Finding]:
        """The new number, or NOT_FOUND."""
        line = reply.line
        if reply.failed or reply == (b"NOT_FOUND", []):
            self.unanswered()
            return None
        if reply.values or not line.isdigit():
            return self._unexpected(reply)
        found = self._key.judge(b"%d" % (int(line) - 1), self._key.owner)
        self._key.grow()
        self._key.acknowledge(self._sequence, {line} if found is None else {line} | self._changed())
        return found and found._replace(text=f"before incr {found.text}")


class Get(Operation):
    """get, of any keys; `reader` is the number of the client that asks."""

    def __init__(self, keys: Sequence[Key], reader: int) -> None:
        self._keys = keys
        self._reader = reader
        self.data = b"get %b\r\n" % b" ".join(key.name for key in keys)

    def answered(self, reply: Reply) -> Optional[Finding]:
        """Values in the order asked for, each once, and END."""
        if reply.failed and not reply.values:
            return None
        asked = {key.name: (place, key) for place, key in enumerate(self._keys)}
        if reply.line != b"END":
            return self._unexpected(reply)
        last, finding = -1, None
        for name, flags, data in reply.values:
            place, key = asked.get(name, (-1, None))
            if key is None or place <= last:
                return self._unexpected(reply)
            last = place
            judge = key.judge if key.owner == self._reader else key.judge_foreign
            finding = finding or judge(data, flags)
        return finding


class Barrier(Operation):
    """A delete that every host has to refuse before it is answered: by then each has done all that came before it."""

    def __init__(self) -> None:
        self.data = b"delete %b\r\n" % _BARRIER
        self.passed = False

    def answered(self, reply: Reply) -> Optional[Finding]:
        """NOT_FOUND."""
        self.passed = reply == (b"NOT_FOUND", [])
        return None if self.passed or reply.failed else self._unexpected(reply)

"""What may be answered while there are faults: an error line to anything, and a value that the client has ever set."""

from typing import List, Optional

from .commands import Asked, begin_of_value

_LINES = {
    b"get": (b"END",), b"gets": (b"END",), b"mg": (b"EN",), b"mn": (b"MN",), b"nonsense": (b"ERROR",),
    b"set": (b"STORED", b"NOT_STORED"), b"add": (b"STORED", b"NOT_STORED"), b"ms": (b"HD", b"NS"),
    b"cas": (b"STORED", b"EXISTS", b"NOT_FOUND", b"NOT_STORED"), b"touch": (b"TOUCHED", b"NOT_FOUND"),
    b"delete": (b"DELETED", b"NOT_FOUND"), b"md": (b"HD", b"NF"), b"incr": (b"NOT_FOUND",),
}  # fmt: skip
_LEAST_FIELDS = {b"VALUE": 4, b"VA": 2}


class WrongAnswer(Exception):
    """An answer that nothing can excuse."""


class LooseReader:
    """Reads the answers to a client's commands, each of which has one, in order."""

    def __init__(self, client: int) -> None:
        self._client = client
        self._asked: List[Asked] = []  # those that are not answered yet
        self._data = b""

    def ask(self, asked: Asked) -> None:
        """One more command is sent."""
        if not asked.is_silent():
            self._asked.append(asked)

    def receive(self, data: bytes) -> None:
        """Takes some of the answers. Raises WrongAnswer."""
        self._data += data
        while self._asked:
            end = self._answer_ends(self._asked[0])
            if end is None:
                return
            self._data = self._data[end:]
            del self._asked[0]
        if self._data:
            raise WrongAnswer(f"more than the answers: {self._data[:60]!r}")

    def is_complete(self) -> bool:
        """Whether everything is answered."""
        return not self._asked

    def may_close(self) -> bool:
        """Whether the router may close the connection: in the midst of a value whose host has failed. It may be a
        reset, with which all is lost that was on its way."""
        return any(asked.wire.startswith((b"get", b"mg ")) for asked in self._asked)

    def _answer_ends(self, asked: Asked) -> Optional[int]:
        """Where the answer ends that comes next; None while it is not complete."""
        at, words = 0, asked.wire.split()
        while True:
            line_end = self._data.find(b"\r\n", at)
            if line_end < 0:
                return None
            line, at = self._data[at:line_end], line_end + 2
            kind = line.partition(b" ")[0]
            if kind not in _LEAST_FIELDS:
                self._check_line(asked, words, line)
                return at
            end = self._value_ends(words, line, at)
            if end is None or kind == b"VA":
                return end
            at = end

    def _value_ends(self, words: List[bytes], line: bytes, at: int) -> Optional[int]:
        fields = line.split()
        if fields[0] != {b"mg": b"VA", b"get": b"VALUE", b"gets": b"VALUE"}.get(words[0]):
            raise WrongAnswer(f"{line!r} in answer to {words[:4]!r}")
        key = words[1] if fields[0] == b"VA" else fields[1]
        size = int(fields[1 if fields[0] == b"VA" else 3])
        value = self._data[at : at + size]
        if not begin_of_value(self._client, key).startswith(value[: len(begin_of_value(self._client, key))]) \
                or key not in words:  # fmt: skip
            raise WrongAnswer(f"the value {value[:30]!r} of {line!r} in answer to {words[:8]!r}")
        ending = self._data[at + size : at + size + 2]
        if not b"\r\n".startswith(ending):
            raise WrongAnswer(f"a value that does not end where its length says: {line!r}, {ending!r}")
        return at + size + 2 if len(ending) == 2 else None

    def _check_line(self, asked: Asked, words: List[bytes], line: bytes) -> None:
        verb = words[0]
        if line.startswith(b"SERVER_ERROR") or (verb == b"incr" and line.isdigit()):
            return
        code, _, rest = line.partition(b" ")
        echo = b" ".join([b"k" + words[1], words[-1]]) if verb == b"mg" and b"k" in words[2:] else None
        if verb == b"ms" and b"k" in words[3:5]:
            echo = b" ".join([b"k" + words[1], words[4]])
        if code not in _LINES[verb] or rest != (echo or b""):
            raise WrongAnswer(f"{line[:60]!r} in answer to {asked.wire[:60]!r}")

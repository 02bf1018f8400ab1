"""The flags of the meta commands: one letter each, some with an argument; all four commands accept the same flags."""

from typing import Callable, Dict, Optional, Sequence

from .words import decode_key, i32, u32, u64

_PLAIN = frozenset(b"klOPLstcfvhuqI")  # no argument, or one that is ignored
_BAD_TOKEN = "bad token in command line format"

_NUMBERS: Dict[str, "tuple[Callable[[bytes], Optional[int]], str]"] = {
    "N": (i32, _BAD_TOKEN),
    "T": (i32, _BAD_TOKEN),
    "R": (i32, _BAD_TOKEN),
    "F": (u32, ""),  # the error of an earlier flag is kept
    "C": (u64, _BAD_TOKEN),
    "J": (u64, "invalid numeric initial value"),
    "D": (u64, "invalid numeric delta value"),
}


class FlagError(Exception):
    """Raised for invalid flags; the message is memcached's."""


class Flags:
    """The flags of a line. `numbers`: the arguments of N T R F C J D; `order`: the words in their order."""

    def __init__(self, key: bytes, words: Sequence[bytes]) -> None:
        self.key = key
        self.order = words
        self.letters = ""
        self.numbers: Dict[str, int] = {}
        self.mode = b""
        self._error: Optional[str] = None
        for word in words:
            self._take(word)
        if self._error is not None:
            raise FlagError(self._error)

    def __contains__(self, letter: str) -> bool:
        return letter in self.letters

    def _take(self, word: bytes) -> None:
        letter = chr(word[0])
        if word[0] >= 127 or letter in self.letters:
            raise FlagError("duplicate flag")
        self.letters += letter
        if letter == "b":
            self._decode()
        elif letter == "M":
            self.mode = word[1:]
            if len(word) != 2:
                self._error = "incorrect length for M token"
        elif letter in _NUMBERS:
            read, complaint = _NUMBERS[letter]
            number = read(word[1:])
            if number is None:
                self._error = complaint or self._error or "bad command line format"
            else:
                self.numbers[letter] = number
        elif word[0] not in _PLAIN:
            raise FlagError("invalid flag")

    def _decode(self) -> None:
        key = decode_key(self.key)
        if key is None:
            self._error = "error decoding key"
        else:
            self.key = key

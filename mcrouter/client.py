"""A client of the router without a socket, for the program that embeds the router: `router.client()`.

    client.set("user:1", b"Ann", expire=60)
    client.get("user:1")                      # b"Ann"
    client.command(b"mg user:1 v t\\r\\n")      # b"VA 3 t60\\r\\nAnn\\r\\n"

It uses the same routes as a connection, and gets the same answers. Any number of threads may share one client.
"""

import re
from typing import Callable, Dict, Iterable, Iterator, List, Mapping, NoReturn, Optional, Tuple, TypeVar, Union

from .errors import RequestError

Key = Union[str, bytes]
Value = Union[str, bytes]
AnyKey = TypeVar("AnyKey", str, bytes)

_KEY = re.compile(rb"[^\x00-\x20\x7f]{1,250}").fullmatch
_FOUND = re.compile(rb"VALUE ([^ ]+) \d+ (\d+)(?: (\d+))?\r\n").match
_END = b"END\r\n"
_YES = (b"STORED", b"DELETED", b"TOUCHED", b"OK")
_ERRORS = (b"ERROR", b"CLIENT_ERROR", b"SERVER_ERROR")


class Client:
    """Asks the router by `ask`, which takes the bytes of whole requests and returns the bytes of the answers.

    Keys are text (UTF-8) or bytes: 1 to 250 bytes without blanks and controls, else ValueError. Values are bytes; text
    is stored as UTF-8. `expire` is in seconds, or a Unix time above 30 days; 0: never (memcached's protocol.txt). Every
    method raises RequestError if the answer is an error line, and RouterError if the router does not serve.
    """

    def __init__(self, ask: Callable[[bytes], bytes]) -> None:
        self._ask = ask

    def command(self, data: bytes) -> bytes:
        """Returns the answer to one or several requests of the text protocol, including meta commands, as a connection
        gets it. Raises ValueError if the last request is incomplete."""
        return self._ask(data)

    def get(self, key: Key) -> Optional[bytes]:
        """Returns the value; None if there is none."""
        return self._value(b"get %b\r\n" % _checked(key))

    def get_many(self, keys: Iterable[AnyKey]) -> Dict[AnyKey, bytes]:
        """Returns the values that were found, by key."""
        by_name = {_checked(key): key for key in keys}
        if not by_name:
            return {}
        return {by_name[name]: value for name, value, _ in self._values(b"get %b\r\n" % b" ".join(by_name))}

    def gets(self, key: Key) -> Tuple[Optional[bytes], Optional[int]]:
        """Returns the value and its number for `cas`; None and None if there is no value."""
        for _, value, unique in self._values(b"gets %b\r\n" % _checked(key)):
            return value, unique
        return None, None

    def gat(self, key: Key, expire: int) -> Optional[bytes]:
        """Returns the value, or None, and sets its expiry."""
        return self._value(b"gat %d %b\r\n" % (expire, _checked(key)))

    def set(self, key: Key, value: Value, expire: int = 0, flags: int = 0) -> bool:
        """Stores the value; returns whether it is stored."""
        return self._yes(_store(b"set", key, value, expire, flags))

    def set_many(self, values: Mapping[AnyKey, Value], expire: int = 0) -> List[AnyKey]:
        """Stores the values; returns the keys whose values are not stored."""
        stores: List[bytes] = [_store(b"set", key, value, expire, 0) for key, value in values.items()]
        answers = self._ask(b"".join(stores)).split(b"\r\n")
        return [key for key, answer in zip(values, answers) if answer != b"STORED"]

    def add(self, key: Key, value: Value, expire: int = 0, flags: int = 0) -> bool:
        """Stores the value if the key has none; returns whether it is stored."""
        return self._yes(_store(b"add", key, value, expire, flags))

    def replace(self, key: Key, value: Value, expire: int = 0, flags: int = 0) -> bool:
        """Stores the value if the key has one; returns whether it is stored."""
        return self._yes(_store(b"replace", key, value, expire, flags))

    def append(self, key: Key, value: Value) -> bool:
        """Appends to the key's value; returns whether there is one."""
        return self._yes(_store(b"append", key, value, 0, 0))

    def prepend(self, key: Key, value: Value) -> bool:
        """Prepends to the key's value; returns whether there is one."""
        return self._yes(_store(b"prepend", key, value, 0, 0))

    def cas(self, key: Key, value: Value, unique: int, expire: int = 0, flags: int = 0) -> Optional[bool]:
        """Stores the value if the key's value has not changed since `gets` returned this number.

        Returns True if it is stored, False if the key's value has changed, None if there is none.
        """
        answer = self._line(_store(b"cas", key, value, expire, flags, b" %d" % unique))
        return None if answer == b"NOT_FOUND" else answer == b"STORED"

    def delete(self, key: Key) -> bool:
        """Deletes the key; returns whether there was a value."""
        return self._yes(b"delete %b\r\n" % _checked(key))

    def incr(self, key: Key, by: int = 1) -> Optional[int]:
        """Adds to the key's number; returns the new number, or None if there is no value."""
        return self._number(b"incr %b %d\r\n" % (_checked(key), by))

    def decr(self, key: Key, by: int = 1) -> Optional[int]:
        """Subtracts from the key's number, down to 0; returns the new number, or None if there is no value."""
        return self._number(b"decr %b %d\r\n" % (_checked(key), by))

    def touch(self, key: Key, expire: int) -> bool:
        """Sets the expiry of the key's value; returns whether there is one."""
        return self._yes(b"touch %b %d\r\n" % (_checked(key), expire))

    def flush_all(self, delay: int = 0) -> None:
        """Empties the hosts that the routes choose, after `delay` seconds."""
        self._yes(b"flush_all %d\r\n" % delay)

    def version(self) -> str:
        """Returns the answer to `version`."""
        return self._line(b"version\r\n").partition(b" ")[2].decode()

    def _line(self, request: bytes) -> bytes:
        answer = self._ask(request).partition(b"\r\n")[0]
        if answer.startswith(_ERRORS):
            _refused(answer)
        return answer

    def _yes(self, request: bytes) -> bool:
        return self._line(request) in _YES

    def _number(self, request: bytes) -> Optional[int]:
        answer = self._line(request)
        return None if answer == b"NOT_FOUND" else int(answer)  # blanks follow a number that was longer before

    def _value(self, request: bytes) -> Optional[bytes]:
        for _, value, _ in self._values(request):
            return value
        return None

    def _values(self, request: bytes) -> Iterator[Tuple[bytes, bytes, Optional[int]]]:
        """Yields (key, value, number for `cas`) of each value; for an error, raises RequestError before the first."""
        answer, at = self._ask(request), 0
        if not answer.endswith(_END):
            _refused(answer.rstrip().rpartition(b"\r\n")[2])
        while not answer.startswith(_END, at):
            match = _FOUND(answer, at)
            assert match is not None
            end = match.end() + int(match[2])
            yield match[1], answer[match.end() : end], int(match[3]) if match[3] else None
            at = end + 2


def _checked(key: Key) -> bytes:
    name = key.encode() if isinstance(key, str) else key
    if _KEY(name) is None:
        raise ValueError(f"invalid key {key!r}: expected 1 to 250 bytes without blanks and controls")
    return name


def _store(verb: bytes, key: Key, value: Value, expire: int, flags: int, unique: bytes = b"") -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return b"%b %b %d %d %d%b\r\n%b\r\n" % (verb, _checked(key), flags, expire, len(data), unique, data)


def _refused(line: bytes) -> NoReturn:
    raise RequestError(line.decode(errors="replace"))

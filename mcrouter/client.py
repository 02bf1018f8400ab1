"""A router's client without a socket, for the program that carries the router: `router.client()`.

    client.set("user:1", b"Ann", expire=60)
    client.get("user:1")                      # b"Ann"
    client.command(b"mg user:1 v t\\r\\n")      # b"VA 3 t60\\r\\nAnn\\r\\n"

It asks through the same routes as a connection, and is answered alike. Any number of threads may share one.
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
    """Asks the router, by `ask`: bytes of whole requests in, bytes of the answers out.

    Keys are text (UTF-8) or bytes: 1 to 250 bytes without blanks and controls, else ValueError. Values are bytes; text
    is stored as UTF-8. `expire` is in seconds, or a Unix time above 30 days; 0: never (memcached's protocol.txt). Every
    method raises RequestError when it is answered with an error line, RouterError when the router does not serve.
    """

    def __init__(self, ask: Callable[[bytes], bytes]) -> None:
        self._ask = ask

    def command(self, data: bytes) -> bytes:
        """What a connection would be answered: of one request or several, of the whole text protocol, meta commands
        too. Raises ValueError when the last of them is not whole."""
        return self._ask(data)

    def get(self, key: Key) -> Optional[bytes]:
        """The value, or None."""
        return self._value(b"get %b\r\n" % _checked(key))

    def get_many(self, keys: Iterable[AnyKey]) -> Dict[AnyKey, bytes]:
        """The values that there are, by key."""
        by_name = {_checked(key): key for key in keys}
        if not by_name:
            return {}
        return {by_name[name]: value for name, value, _ in self._values(b"get %b\r\n" % b" ".join(by_name))}

    def gets(self, key: Key) -> Tuple[Optional[bytes], Optional[int]]:
        """The value and its number for `cas`, or None and None."""
        for _, value, unique in self._values(b"gets %b\r\n" % _checked(key)):
            return value, unique
        return None, None

    def gat(self, key: Key, expire: int) -> Optional[bytes]:
        """The value, or None; it expires anew."""
        return self._value(b"gat %d %b\r\n" % (expire, _checked(key)))

    def set(self, key: Key, value: Value, expire: int = 0, flags: int = 0) -> bool:
        """Whether it is stored."""
        return self._yes(_store(b"set", key, value, expire, flags))

    def set_many(self, values: Mapping[AnyKey, Value], expire: int = 0) -> List[AnyKey]:
        """The keys whose values are not stored."""
        stores: List[bytes] = [_store(b"set", key, value, expire, 0) for key, value in values.items()]
        answers = self._ask(b"".join(stores)).split(b"\r\n")
        return [key for key, answer in zip(values, answers) if answer != b"STORED"]

    def add(self, key: Key, value: Value, expire: int = 0, flags: int = 0) -> bool:
        """Stores it if there is none; whether it is stored."""
        return self._yes(_store(b"add", key, value, expire, flags))

    def replace(self, key: Key, value: Value, expire: int = 0, flags: int = 0) -> bool:
        """Stores it if there is one; whether it is stored."""
        return self._yes(_store(b"replace", key, value, expire, flags))

    def append(self, key: Key, value: Value) -> bool:
        """Puts it behind the value that there is; whether there is one."""
        return self._yes(_store(b"append", key, value, 0, 0))

    def prepend(self, key: Key, value: Value) -> bool:
        """Puts it before the value that there is; whether there is one."""
        return self._yes(_store(b"prepend", key, value, 0, 0))

    def cas(self, key: Key, value: Value, unique: int, expire: int = 0, flags: int = 0) -> Optional[bool]:
        """Stores it if the value is still the one that `gets` gave that number with. False: it is not; None: there is
        none."""
        answer = self._line(_store(b"cas", key, value, expire, flags, b" %d" % unique))
        return None if answer == b"NOT_FOUND" else answer == b"STORED"

    def delete(self, key: Key) -> bool:
        """Whether there was one."""
        return self._yes(b"delete %b\r\n" % _checked(key))

    def incr(self, key: Key, by: int = 1) -> Optional[int]:
        """The new number, or None where there is none."""
        return self._number(b"incr %b %d\r\n" % (_checked(key), by))

    def decr(self, key: Key, by: int = 1) -> Optional[int]:
        """The new number, not below 0, or None where there is none."""
        return self._number(b"decr %b %d\r\n" % (_checked(key), by))

    def touch(self, key: Key, expire: int) -> bool:
        """Has it expire anew; whether there is one."""
        return self._yes(b"touch %b %d\r\n" % (_checked(key), expire))

    def flush_all(self, delay: int = 0) -> None:
        """Empties the hosts that the policy says, in so many seconds."""
        self._yes(b"flush_all %d\r\n" % delay)

    def version(self) -> str:
        """What `version` is answered with."""
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
        return None if answer == b"NOT_FOUND" else int(answer)  # a number that was longer once has blanks behind it

    def _value(self, request: bytes) -> Optional[bytes]:
        for _, value, _ in self._values(request):
            return value
        return None

    def _values(self, request: bytes) -> Iterator[Tuple[bytes, bytes, Optional[int]]]:
        """(key, value, number) of each value; raises RequestError before the first if there is an error."""
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
        raise ValueError(f"the key {key!r} will not do; give 1 to 250 bytes without blanks and controls")
    return name


def _store(verb: bytes, key: Key, value: Value, expire: int, flags: int, unique: bytes = b"") -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return b"%b %b %d %d %d%b\r\n%b\r\n" % (verb, _checked(key), flags, expire, len(data), unique, data)


def _refused(line: bytes) -> NoReturn:
    raise RequestError(line.decode(errors="replace"))

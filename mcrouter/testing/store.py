"""What an embedded host remembers, and the classic commands on it. No I/O: `answer` takes a request, gives a reply."""

import time
from typing import Callable, Dict, List, NamedTuple, Optional

from ..proto.commands import COMMANDS
from ..proto.requests import Request

_MONTH = 30 * 24 * 3600  # seconds; a larger exptime is a Unix time (protocol.txt)
_WRAP = 2**64
_ITEM_MAX = 1024 * 1024
_OVERHEAD = 60  # bytes that an item needs besides its value


class Item(NamedTuple):
    """A value with its flags, cas unique and end of life (Unix time; 0: none)."""

    value: bytes
    flags: int
    cas: int
    expires: float


class Store:
    """A dict that speaks memcached. `clock` gives Unix time."""

    def __init__(self, version: str = "1.6.0-demo", clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._items: Dict[bytes, Item] = {}
        self._cas = 0
        self._version = version.encode()
        self._started = clock()
        self._flush_at = 0.0
        self.commands = 0
        self._answers: Dict[str, Callable[[Request], bytes]] = {
            **dict.fromkeys(("get", "gets", "gat", "gats"), self._get),
            **dict.fromkeys(("set", "add", "replace", "append", "prepend", "cas"), self._store),
            "delete": self._delete,
            "incr": self._arithmetic,
            "decr": self._arithmetic,
            "touch": self._touch,
            "flush_all": self._flush_all,
            "version": lambda request: b"VERSION " + self._version + b"\r\n",
            "verbosity": lambda request: b"OK\r\n",
            "stats": self._stats,
            "mn": lambda request: b"MN\r\n",
        }

    def answer(self, request: Request) -> bytes:
        """The reply to one command, muted or not."""
        self.commands += 1
        answer = self._answers.get(COMMANDS[request.kinds[0]].name)
        return answer(request) if answer else b"ERROR\r\n"

    def _live(self, key: bytes) -> Optional[Item]:
        now = self._clock()
        if self._flush_at and now >= self._flush_at:
            self._items.clear()
            self._flush_at = 0.0
        item = self._items.get(key)
        if item is not None and item.expires and item.expires <= now:
            del self._items[key]
            return None
        return item

    def _put(self, key: bytes, value: bytes, flags: int, expires: float) -> None:
        self._cas += 1
        self._items[key] = Item(value, flags, self._cas, expires)

    def _expires(self, exptime: int) -> float:
        now = self._clock()
        if exptime == 0:
            return 0.0
        if exptime < 0:
            return now
        return float(exptime) if exptime > _MONTH else now + exptime

    def _get(self, request: Request) -> bytes:
        verb, *words = request.data.split()
        out: List[bytes] = []
        for key in request.keys():
            item = self._live(key)
            if item is None:
                continue
            if verb.startswith(b"gat"):
                self._items[key] = item = item._replace(expires=self._expires(int(words[0])))
            cas = b" %d" % item.cas if verb.endswith(b"s") else b""
            out.append(b"VALUE %b %d %d%b\r\n%b\r\n" % (key, item.flags, len(item.value), cas, item.value))
        return b"".join(out) + b"END\r\n"

    def _store(self, request: Request) -> bytes:
        line, _, data = request.data.partition(b"\r\n")
        verb, key, flags, exptime, size, *cas = line.split()
        if int(size) + len(key) + _OVERHEAD > _ITEM_MAX:
            if verb == b"set":
                self._items.pop(key, None)
            return b"SERVER_ERROR object too large for cache\r\n"
        if len(data) != int(size) + 2 or not data.endswith(b"\r\n"):
            return b"CLIENT_ERROR bad data chunk\r\n"
        value, known = data[:-2], self._live(key)
        if verb == b"cas" and (known is None or known.cas != int(cas[0])):
            return b"NOT_FOUND\r\n" if known is None else b"EXISTS\r\n"
        if (known is not None if verb == b"add" else known is None) and verb not in (b"set", b"cas"):
            return b"NOT_STORED\r\n"
        if known is not None and verb in (b"append", b"prepend"):
            joined = known.value + value if verb == b"append" else value + known.value
            self._put(key, joined, known.flags, known.expires)
        else:
            self._put(key, value, int(flags), self._expires(int(exptime)))
        return b"STORED\r\n"

    def _delete(self, request: Request) -> bytes:
        key = request.keys()[0]
        if self._live(key) is None:
            return b"NOT_FOUND\r\n"
        del self._items[key]
        return b"DELETED\r\n"

    def _arithmetic(self, request: Request) -> bytes:
        verb, key, delta = request.data.split()
        item = self._live(key)
        if item is None:
            return b"NOT_FOUND\r\n"
        number = item.value.rstrip(b" ")
        if not number.isdigit() or int(number) >= _WRAP:
            return b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
        now = (int(number) + int(delta)) % _WRAP if verb == b"incr" else max(0, int(number) - int(delta))
        text = b"%d" % now
        self._put(key, text if verb == b"incr" else text.ljust(len(item.value)), item.flags, item.expires)
        return text + b"\r\n"

    def _touch(self, request: Request) -> bytes:
        _, key, exptime = request.data.split()
        item = self._live(key)
        if item is None:
            return b"NOT_FOUND\r\n"
        self._items[key] = item._replace(expires=self._expires(int(exptime)))
        return b"TOUCHED\r\n"

    def _flush_all(self, request: Request) -> bytes:
        delay = int([*request.data.split(), b"0"][1])
        self._flush_at = self._clock() + max(0, delay)
        return b"OK\r\n"

    def _stats(self, request: Request) -> bytes:
        if len(request.data.split()) > 1:
            return b"ERROR\r\n"
        now = self._clock()
        facts = {"uptime": int(now - self._started), "time": int(now), "curr_items": len(self._items),
                 "total_commands": self.commands}  # fmt: skip
        lines = [b"STAT version " + self._version, *(f"STAT {name} {value}".encode() for name, value in facts.items())]
        return b"\r\n".join(lines) + b"\r\nEND\r\n"

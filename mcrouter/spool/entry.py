"""A line of the async log and the entry that it stands for.

Both formats of facebook/mcrouter are read (`mcrouter/AsyncLog.cpp`). AS2.0 is written: it has the pool, and it has the
key by itself, so that a key may be any bytes; the older AS1.0 has the key within a command.

JSON has no bytes. folly's `toJson`, which facebook/mcrouter uses, escapes the bytes below 0x20, the quote and the
backslash, and copies all other bytes unchanged, UTF-8 or not. So does this module; it decodes such a line with Python's
surrogateescape, which preserves every byte.
"""

import json
import re
from typing import Any, NamedTuple, NoReturn, Tuple

from ..proto.client.lines import MAX_KEY

Address = Tuple[str, int]
"""A host name, an IP address or the absolute path of a unix socket; then the port, 0 for a path."""

_LATEST = 1e12  # seconds of Unix time; the limit also excludes NaN and infinity
_HOST = re.compile(r"\[(.+)\]:([0-9]{1,5})")
_DELETE = re.compile(r"delete ([^ \r\n]+)(?: 0)?\r\n")


class SpoolEntry(NamedTuple):
    """A delete to be delivered: when it failed (Unix time, in seconds), the host's address, and the key."""

    time: float
    address: Address
    key: bytes
    pool: str = ""


class BadEntryError(ValueError):
    """Raised for a line that is not an entry; the message says what is wrong with it."""


def format_entry(entry: SpoolEntry, flavor: str) -> bytes:
    """Returns the line, with its newline; `flavor` is the name of the router that writes it."""
    host, port = entry.address
    said = {
        "s": "mcrouter",
        "f": _plain(flavor),
        "r": "",
        "h": f"[{host}]:{port}",
        "p": _plain(entry.pool),
        "k": entry.key.decode("utf-8", "surrogateescape"),
    }
    record = ["AS2.0", round(entry.time, 3), "C", said]
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogateescape") + b"\n"


def parse_entry(line: bytes) -> SpoolEntry:
    """Returns the entry of a line in either format; raises BadEntryError if it is not one."""
    try:
        record = json.loads(line.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        raise BadEntryError("it is not JSON, or is cut off") from None
    if not isinstance(record, list) or len(record) != 4:
        raise BadEntryError("it is not a list of 4: format, time, type and command")
    version, time, kind, said = record
    if not isinstance(version, str) or version not in _SAID:
        raise BadEntryError("its format is neither AS1.0 nor AS2.0")
    if not isinstance(time, (int, float)) or not abs(time) < _LATEST or kind != "C":
        raise BadEntryError('its second item is not a time, or its third not "C"')
    address, key, pool = _SAID[version](said)
    _check(address, key)
    return SpoolEntry(float(time), address, key, pool)


def show(address: Address) -> str:
    """Returns the address as a config has it."""
    host, port = address
    if host.startswith("/"):
        return f"unix://{host}"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _first_format(said: Any) -> Tuple[Any, bytes, str]:
    if not isinstance(said, list) or len(said) != 3 or not isinstance(said[2], str):
        raise BadEntryError("its command is not a list of host, port and delete")
    delete = _DELETE.fullmatch(said[2]) or _bad(r'its command is not a "delete KEY\r\n"')
    return (said[0], said[1]), _bytes(delete.group(1)), ""


def _second_format(said: Any) -> Tuple[Any, bytes, str]:
    if not isinstance(said, dict) or not all(isinstance(said.get(name), str) for name in "hk"):
        raise BadEntryError('its command is not an object with "h" (host) and "k" (key)')
    pool = said.get("p", "")
    host = _HOST.fullmatch(said["h"]) or _bad('its host is not of the form "[host]:port"')
    return (host.group(1), int(host.group(2))), _bytes(said["k"]), pool if isinstance(pool, str) else ""


_SAID = {"AS1.0": _first_format, "AS2.0": _second_format}


def _check(address: Tuple[Any, Any], key: bytes) -> None:
    host, port = address
    if not isinstance(host, str) or not host or not host.isprintable():
        raise BadEntryError("its host is not a name, an address or the path of a socket")
    if type(port) is not int or not (port == 0 if host.startswith("/") else 0 < port < 65536):
        raise BadEntryError("its port is not a number from 1 to 65535 (0 for the path of a socket)")
    if not 0 < len(key) <= MAX_KEY:
        raise BadEntryError(f"its key has {len(key)} bytes; a host takes 1 to {MAX_KEY}")


def _bad(message: str) -> NoReturn:
    raise BadEntryError(message)


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise BadEntryError("its key has half of a UTF-16 pair") from None


def _plain(name: str) -> str:
    return name.encode("utf-8", "replace").decode()

"""The answer of a scripted host to a request, by the condition of the host."""

from typing import Dict, List, Tuple

from ..proto import outcomes as o
from ..proto.commands import ADMIN, COMMANDS, META, META_STORE, META_VALUE, VALUES
from ..proto.request import Request
from ..proto.styles import MEMCACHED, Memcached
from ..routes.null import default_reply

WELL, MISSES, FAILS, TIMES_OUT, UNHEALTHY = "well", "misses", "fails", "times out", "unhealthy"
"""The conditions of a host. A host that misses answers END, NOT_STORED or NOT_FOUND, depending on the command."""

Answer = Tuple[bytes, bytes]
_ERROR: Answer = (b"SERVER_ERROR out of memory storing object\r\n", o.SERVER_ERROR)
_LINES: Dict[str, Answer] = {
    "delete": (b"DELETED\r\n", o.DELETED),
    "incr": (b"1\r\n", o.NUMBER),
    "decr": (b"1\r\n", o.NUMBER),
    "touch": (b"TOUCHED\r\n", o.TOUCHED),
    "mn": (b"MN\r\n", o.HEADER),
    "flush_all": (b"OK\r\n", o.OK),
    "verbosity": (b"OK\r\n", o.OK),
    "version": (b"VERSION 1.6\r\n", o.TEXT),
    "stats": (b"END\r\n", o.TEXT),
}
_STORED: Answer = (b"STORED\r\n", o.STORED)
_NUMBERS = {b"c": b"c1", b"f": b"f0", b"h": b"h1", b"l": b"l0", b"t": b"t-1"}


def answer(
    request: Request, host: str, host_condition: str, timeout_ms: int, style: Memcached = MEMCACHED
) -> Answer:
    """Returns the host's answer. The value of a hit is the host's name, so that the answer shows its origin."""
    if host_condition == UNHEALTHY:
        return style.unhealthy(host), o.UNAVAILABLE
    if host_condition == TIMES_OUT:
        return style.failure(host, o.TIMEOUT, f"no reply within {timeout_ms} ms"), o.TIMEOUT
    if host_condition == FAILS:
        return _ERROR
    if host_condition == MISSES and COMMANDS[request.commands[0]].kind != ADMIN:
        return default_reply(request.commands[0])
    return _hit(request, host.encode(errors="replace"))


def _hit(request: Request, value: bytes) -> Answer:
    command = COMMANDS[request.commands[0]]
    if command.name == "me":
        return b"ME %b exp=-1\r\n" % request.keys()[0], o.HEADER
    if command.request in (META, META_STORE):
        return _meta(request, value)
    if command.reply == VALUES:
        unique = b" 1" if command.name in ("gets", "gats") else b""
        blocks = [b"VALUE %b 0 %d%b\r\n%b\r\n" % (key, len(value), unique, value) for key in request.keys()]
        return b"".join([*blocks, b"END\r\n"]), o.VALUE
    return _LINES.get(command.name, _STORED)


def _meta(request: Request, value: bytes) -> Answer:
    command = COMMANDS[request.commands[0]]
    words = bytes(request.data).split(b"\r\n", 1)[0].split(b" ")
    flags = words[3 if command.request == META_STORE else 2 :]
    told: List[bytes] = []
    for flag in flags:
        if flag == b"k":
            told.append(b"k" + request.keys()[0])
        elif flag[:1] in (b"O", b"b"):
            told.append(flag)
        elif flag == b"s":
            told.append(b"s%d" % len(value))
        elif flag in _NUMBERS and command.name == "mg":
            told.append(_NUMBERS[flag])
    if command.reply == META_VALUE and b"v" in flags:
        found = value if command.name == "mg" else b"1"
        return b" ".join([b"VA", b"%d" % len(found), *told]) + b"\r\n" + found + b"\r\n", o.VALUE
    return b" ".join([b"HD", *told]) + b"\r\n", o.HEADER

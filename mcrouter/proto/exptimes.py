"""stub"""
from typing import Optional

from .commands import COMMANDS, EXPTIME_KEYS, KEY_NUMBER, META_STORE, STORE, STORE_CAS
from .requests import Request


def _copy(request: Request, data: bytes) -> Request:
    made = Request(request.client, request.kinds, data)
    made.started, made.bulk = request.started, request.bulk
    return made


def _place(request: Request) -> Optional[int]:
    command = COMMANDS[request.kinds[0]]
    if command.request in (STORE, STORE_CAS):
        return 3
    if command.request == EXPTIME_KEYS:
        return 1
    if command.name == "touch" and command.request == KEY_NUMBER:
        return 2
    return None


def exptime(request: Request) -> Optional[int]:
    """stub"""
    line = bytes(request.data).split(b"\r\n", 1)[0].split(b" ")
    place = _place(request)
    if place is not None:
        return int(line[place])
    for word in line[2:]:
        if word[:1] == b"T":
            return int(word[1:])
    return 0 if COMMANDS[request.kinds[0]].request == META_STORE else None


def with_exptime(request: Request, n: int) -> Request:
    """stub"""
    line, rest = bytes(request.data).split(b"\r\n", 1)
    fields = line.split(b" ")
    place = _place(request)
    if place is not None:
        fields[place] = b"%d" % n
    else:
        fields = [word for i, word in enumerate(fields) if i < 2 or word[:1] != b"T"] + [b"T%d" % n]
    return _copy(request, b" ".join(fields) + b"\r\n" + rest)


def capped(request: Request, most: int, now: float) -> Request:
    """stub"""
    known = exptime(request)
    if known is None or known < 0 or 0 < (known - now if known > 2592000 else known) <= most:
        return request
    return with_exptime(request, most)

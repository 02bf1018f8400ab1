"""Expiry times of requests: which they have, and requests with others.

memcached's rule (doc/protocol.txt): 0 is never, a negative one is at once, up to 30 days are seconds from now, more is
Unix time.
"""

from typing import Dict, Optional, Tuple

from .commands import COMMANDS, EXPTIME_KEYS, KEY_NUMBER, META, META_STORE, STORE, STORE_CAS
from .numbers import signed
from .request import Request
from .rewriting import remade

_MONTH = 30 * 24 * 3600
_TOUCH = next(command.number for command in COMMANDS if command.name == "touch")


def _places() -> Dict[int, int]:
    """By command: which word of its line the time is."""
    found = {command.number: 3 for command in COMMANDS if command.request in (STORE, STORE_CAS)}
    found.update({command.number: 1 for command in COMMANDS if command.request == EXPTIME_KEYS})
    assert COMMANDS[_TOUCH].request == KEY_NUMBER
    return {**found, _TOUCH: 2}


_PLACE = _places()
_META = {command.number: 3 if command.request == META_STORE else 2 for command in COMMANDS
         if command.request in (META, META_STORE)}  # fmt: skip
_MS = next(command.number for command in COMMANDS if command.request == META_STORE)


def exptime(request: Request) -> Optional[int]:
    """The expiry time that a request sets; None if it sets none, or none that is a number. Of a run, that of none."""
    words, place, prefix = _found(request)
    if place is None:
        return 0 if request.commands[0] == _MS and len(request.commands) == 1 else None
    return signed(words[place][prefix:])


def with_exptime(request: Request, seconds: int) -> Request:
    """The request with another expiry time; itself if it sets none. A line that has grown too long by it, or has too
    many words, does not pass the gate."""
    words, place, prefix = _found(request)
    if place is None:
        if len(request.commands) > 1 or request.commands[0] != _MS:
            return request
        words.append(b"T%d" % seconds)
    else:
        words[place] = words[place][:prefix] + b"%d" % seconds
    line, data = b" ".join(words), bytes(request.data)
    return remade(request, line + data[data.index(b"\r\n") :])


def capped(request: Request, most: int, now: float) -> Request:
    """The request with an expiry time of at most `most` seconds from `now` (Unix time); 0, never, counts as longer, and
    one that is over stays so."""
    has = exptime(request)
    if has is None or has < 0:
        return request
    left = has - now if has > _MONTH else has
    return request if has and left <= most else with_exptime(request, most)


def _found(request: Request) -> "Tuple[list[bytes], Optional[int], int]":
    """The words of the request's line, which of them is the time, and how many letters stand before it."""
    kind = request.commands[0]
    if len(request.commands) > 1 or (kind not in _PLACE and kind not in _META):
        return [], None, 0
    data = request.data if len(request.data) < 8192 else request.data[:8192]
    words = bytes(data).split(b"\r\n", 1)[0].split(b" ")
    if kind in _PLACE:
        return words, _PLACE[kind], 0
    places = range(_META[kind], len(words))
    flags = [place for place in places if words[place][:1] == b"T" and signed(words[place][1:]) is not None]
    return words, (flags[-1] if flags else None), 1

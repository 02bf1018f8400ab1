"""Turns words of a command line (`get a b`, `set a`, `mg a`) into requests; other arguments get default values."""

from typing import Callable, Dict, List, Sequence

from ..config.errors import advice_for_name, show
from ..proto.client.lines import MAX_KEY
from ..proto.client.parser import RequestParser, RunPlan
from ..proto.commands import (
    BARE,
    BY_NAME,
    EXPTIME_KEYS,
    KEY,
    KEY_NUMBER,
    KEYS,
    META,
    META_STORE,
    NOTHING,
    STORE,
    STORE_CAS,
    Command,
)
from ..proto.request import Request
from ..proto.runs import request_patterns

_FORMS: Dict[str, bytes] = {
    KEYS: b"%(verb)b %(key)b\r\n",
    EXPTIME_KEYS: b"%(verb)b 0 %(key)b\r\n",
    STORE: b"%(verb)b %(key)b 0 0 5\r\nvalue\r\n",
    STORE_CAS: b"%(verb)b %(key)b 0 0 5 1\r\nvalue\r\n",
    KEY: b"%(verb)b %(key)b\r\n",
    KEY_NUMBER: b"%(verb)b %(key)b 1\r\n",
    META_STORE: b"%(verb)b %(key)b 5\r\nvalue\r\n",
}
_META_FLAGS = {"mg": b" v"}


class ExplainClient:
    """The client of the requests, which sends nothing else."""

    connection_number = 0
    can_wait = False

    @property
    def owner(self) -> "ExplainClient":
        """The client in whose order the writes belong: this one."""
        return self

    def may_repeat(self, _request: Request) -> bool:
        """Returns True: there is no later write."""
        return True

    def awaits(self, _request: Request) -> bool:
        """Returns True: the client waits for every answer."""
        return True

    def pause(self) -> None:
        """Does nothing: the client asks nothing else."""

    def resume(self) -> None:
        """Does nothing: the client asks nothing else."""

    def when_abandoned(self, _request: Request, _call: Callable[[], None]) -> None:
        """Does nothing: no request is abandoned, the run ends with its answer."""

    def fail(self, _request: Request, _reply: bytes, _outcomes: bytes) -> None:
        """Does nothing: the error is logged."""

    def abort(self) -> None:
        """Does nothing: there is no connection."""


def requests(words: Sequence[str]) -> List[bytes]:
    """Returns the bytes of the requests: one request for a get of several keys, else one for each key.

    Raises ValueError, with what would be right.
    """
    name, keys = words[0], [_key(word) for word in words[1:]]
    command = BY_NAME.get(name)
    if command is None:
        raise ValueError(f"unknown command {show(name)}; {advice_for_name(name, BY_NAME, 'commands')}")
    if not command.success or command.reply == NOTHING:
        raise ValueError(f"{name} is asked of no host; name another command")
    if command.request == BARE:
        if keys:
            raise ValueError(f"{name} is about no key; leave out {show(words[1])}")
        return [b"verbosity 1\r\n" if name == "verbosity" else command.verb + b"\r\n"]
    if not keys:
        raise ValueError(f"{name} without a key; write {name} KEY")
    if command.request in (KEYS, EXPTIME_KEYS):
        return [_request(command, b" ".join(keys))]
    return [_request(command, key) for key in keys]


def alone(name: str, key: bytes) -> bytes:
    """Returns the bytes of a request for one key."""
    return _request(BY_NAME[name], key)


def parsed(data: bytes, client: ExplainClient) -> Request:
    """Returns the request that these bytes stand for."""
    made: Request = RequestParser(Request, request_patterns(), RunPlan()).next(data, 0, client)
    return made


def _request(command: Command, key: bytes) -> bytes:
    if command.request == META:
        return b"%b %b%b\r\n" % (command.verb, key, _META_FLAGS.get(command.name, b""))
    return _FORMS[command.request] % {b"verb": command.verb, b"key": key}


def _key(word: str) -> bytes:
    key = word.encode(errors="surrogateescape")
    if not 0 < len(key) <= MAX_KEY or any(byte <= 32 or byte == 127 for byte in key):
        raise ValueError(f"the key {show(word)} is invalid; write 1 to {MAX_KEY} bytes without blanks and controls")
    return key

"""A request: one command of a client, or a run of commands that travels as one."""

from typing import Any, Iterator, List, Optional, Tuple

from .client.meta_flags import decoded
from .client.rendering import Rendering
from .commands import (
    ADMIN,
    ARITHMETIC,
    BARE,
    BY_NAME,
    COMMANDS,
    EXPTIME_KEYS,
    META,
    META_STORE,
    META_VALUE,
    READ,
    STORE,
    STORE_CAS,
    VALUES,
)

GET, SET = BY_NAME["get"].number, BY_NAME["set"].number
# The `commands` of a request with one command; made here so that the hot path makes none.
COMMAND_BYTE = tuple(bytes([command.number]) for command in COMMANDS)
ANSWERED = bytes([len(COMMANDS)])  # the `commands` of a request that the parser has answered
CLOSE = bytes([len(COMMANDS) + 1])  # the `commands` of a request at which the connection is to be closed
INQUIRY = bytes([len(COMMANDS) + 2])  # the `commands` of a get whose keys ask the router itself
MOST_COMMANDS = len(COMMANDS) + 3
_EXPTIME_FIRST = frozenset(command.number for command in COMMANDS if command.request == EXPTIME_KEYS)
_READS = bytes(
    command.number for command in COMMANDS if command.kind in (READ, ADMIN) and command.name != "flush_all"
)  # what changes no item
_MG = BY_NAME["mg"].number
STORING = frozenset(command.number for command in COMMANDS if command.request in (STORE, STORE_CAS, META_STORE))
"""Commands that have a data block."""
_FIRST_FLAG = {command.number: 3 if command.request == META_STORE else 2 for command in COMMANDS
               if command.request in (META, META_STORE)}  # fmt: skip
_HEAD = 4096  # bytes in which the line of a store ends
# What may be asked twice: it changes nothing, or the second time nothing more than the first.
_REPEATABLE = bytes(
    command.number for command in COMMANDS if command.reply in (VALUES, META_VALUE) and command.kind != ARITHMETIC
)


class Request:
    """One command of a client, or a run of them that travels as one.

    `commands` has one byte a command (its index in the command table), `data` the bytes for a host (of a large store or
    run a memoryview of them), without `noreply` or quiet flags. `expected` names the keys of a get, or, for a run, what
    each command's reply must name: its key, or STORED with its CR. `key` is the key of a single get, empty for a
    single set, None for all other requests. `rendering` is how the client sees the reply, None for as it is. `client`
    is the source of the request (engine/clients/source.py, background.py); `origin` is the client's request that this
    one was made of, None where it is the client's own. `large_value` is None unless the value is too large to be held:
    then the parser sets it to the number of bytes that follow `data` in the stream, and the engine replaces that by
    the Upload or Download that moves them.
    """

    __slots__ = (
        "client",
        "commands",
        "data",
        "expected",
        "key",
        "large_value",
        "origin",
        "rendering",
        "reply",
        "started",
    )

    def __init__(
        self,
        client: Any,
        commands: bytes,
        data: bytes,
        expected: Optional[List[bytes]] = None,
        key: Optional[bytes] = None,
    ) -> None:
        self.client = client
        self.commands = commands
        self.data = data
        self.expected = expected
        self.key = key
        self.started = 0.0
        self.reply: Any = None
        self.rendering: Optional[Rendering] = None
        self.large_value: Any = None
        self.origin: Any = None

    def shown(self, reply: Any, outcomes: bytes) -> Any:
        """Returns what the client sees of a reply, empty for nothing."""
        return reply if self.rendering is None else self.rendering.shown(reply, outcomes)

    def keys(self) -> List[bytes]:
        """Returns the keys that it names, in order, with repetitions."""
        if self.expected is None:
            if self.key:
                return [self.key]
            data = bytes(self.data[:_HEAD]) if self.commands[0] in STORING else self.data
            fields = data[: data.index(b"\n") - 1].split(b" ")  # nothing but a space ends a key
            kind = self.commands[0]
            first = 2 if kind in _EXPTIME_FIRST else 1
            if COMMANDS[kind].reply == VALUES:
                self.expected = fields[first:]
            else:
                self.expected = [] if COMMANDS[kind].request == BARE else fields[first : first + 1]
        return self.expected

    def in_base64(self) -> bool:
        """Returns whether it writes its key in base64 (`b` of a meta command; memcached goes by a flag's first
        letter)."""
        first = _FIRST_FLAG.get(self.commands[0])
        if first is None:
            return False
        line = bytes(self.data[:_HEAD]).partition(b"\r\n")[0]
        return any(flag[:1] == b"b" for flag in line.split(b" ")[first:])

    def names(self) -> List[bytes]:
        """Returns the keys of the items that it reads or writes, also of a run, decoded from base64. Policies, the
        order of a client's requests and the journal of missed writes go by these. An empty list if it is about no
        key."""
        if len(self.commands) > 1:
            return [command.split(b" ", 2)[1].rstrip() for command in self.split()]
        keys = self.keys()
        return [decoded(key) or key for key in keys] if self.in_base64() else keys

    def reads_only(self) -> bool:
        """Returns whether it changes no item."""
        return not self.commands.translate(None, _READS)

    def repeatable(self) -> bool:
        """Returns whether a host may be asked it twice, with the same effect as once."""
        if self.commands[0] == _MG:  # the right to recache is given once
            return not any(key[:1] in (b"N", b"R") for key in self.data.split()[2:])
        return not self.commands.translate(None, _REPEATABLE)

    def split(self) -> List[bytes]:
        """The bytes of each command of a run."""
        if len(self.commands) == 1:
            return [self.data]
        parts, at, data = [], 0, bytes(self.data)
        for kind in self.commands:
            end = data.index(b"\n", at) + 1
            if kind != GET:
                end += int(data[data.rindex(b" ", at, end) + 1 : end]) + 2
            parts.append(data[at:end])
            at = end
        return parts

    def lines(self) -> "Tuple[int, Iterator[bytes]]":
        """Returns its gets as requests for one key each: how many there are, and an iterator that makes them."""
        keys = self.keys() if len(self.commands) == 1 and COMMANDS[self.commands[0]].reply == VALUES else []
        if len(keys) < 2:
            return len(self.commands), iter(self.split())
        first = 2 if self.commands[0] in _EXPTIME_FIRST else 1
        head = b" ".join(bytes(self.data[:_HEAD]).split(b" ", first)[:first])
        return len(keys), (b"%b %b\r\n" % (head, key) for key in keys)

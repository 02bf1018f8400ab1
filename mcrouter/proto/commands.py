"""The one table of commands: what each looks like, how it is answered, what kind of operation it is.

Parsers, routes, metrics, configuration checks and the README's protocol table derive from it. The facts are those of
memcached's doc/protocol.txt and, where the two disagree, of the server (1.6).
"""

from typing import NamedTuple

from . import outcomes as o

# Shapes of a request.
KEYS = "keys"  # verb key+
EXPTIME_KEYS = "exptime keys"  # verb exptime key+
STORE = "store"  # verb key flags exptime bytes [noreply], data
STORE_CAS = "store cas"  # verb key flags exptime bytes cas [noreply], data
KEY = "key"  # verb key [noreply]
KEY_NUMBER = "key number"  # verb key number [noreply]
META = "meta"  # verb key flag*
META_STORE = "meta store"  # ms key datalen flag*, data
BARE = "bare"  # verb words*

# Shapes of a reply.
VALUES = "values"  # VALUE blocks, then END
LINE = "line"  # one line
META_VALUE = "meta value"  # VA with data, or one line
LINES = "lines"  # lines up to END (stats)
NOTHING = "nothing"  # the connection is closed

# Kinds of operation, as policies and limits name them.
READ, WRITE, ARITHMETIC, DELETE, TOUCH, ADMIN = "read", "write", "arithmetic", "delete", "touch", "admin"


class Command(NamedTuple):
    """One row: `number` is the row's number, by which counters are laid out."""

    number: int
    name: str
    verb: bytes
    request: str
    reply: str
    kind: str
    success: bytes  # outcome codes that are a success
    miss: bytes  # outcome codes that are memcached's 'no'
    like: str  # the command whose policy it takes when a config names none for it


def _table() -> "tuple[Command, ...]":
    stored = (o.STORED, o.NOT_STORED + o.EXISTS + o.NOT_FOUND)
    hit = (o.VALUE, o.MISS)
    found = o.NOT_FOUND
    rows = [
        ("get", KEYS, VALUES, READ, *hit, ""),
        ("gets", KEYS, VALUES, READ, *hit, ""),
        ("gat", EXPTIME_KEYS, VALUES, TOUCH, *hit, ""),
        ("gats", EXPTIME_KEYS, VALUES, TOUCH, *hit, ""),
        ("set", STORE, LINE, WRITE, *stored, ""),
        ("add", STORE, LINE, WRITE, *stored, ""),
        ("replace", STORE, LINE, WRITE, *stored, ""),
        ("append", STORE, LINE, WRITE, *stored, ""),
        ("prepend", STORE, LINE, WRITE, *stored, ""),
        ("cas", STORE_CAS, LINE, WRITE, *stored, ""),
        ("delete", KEY, LINE, DELETE, o.DELETED, found, ""),
        ("incr", KEY_NUMBER, LINE, ARITHMETIC, o.NUMBER, found, ""),
        ("decr", KEY_NUMBER, LINE, ARITHMETIC, o.NUMBER, found, ""),
        ("touch", KEY_NUMBER, LINE, TOUCH, o.TOUCHED, found, ""),
        ("mg", META, META_VALUE, READ, o.VALUE + o.HEADER, o.MISS, "get"),
        ("ms", META_STORE, LINE, WRITE, o.HEADER, stored[1], "set"),
        ("md", META, LINE, DELETE, o.HEADER, found + o.EXISTS, "delete"),
        ("ma", META, META_VALUE, ARITHMETIC, o.VALUE + o.HEADER, stored[1], "incr"),
        ("mn", BARE, LINE, ADMIN, o.HEADER, b"", ""),
        ("me", META, LINE, READ, o.HEADER, o.MISS, "get"),
        ("flush_all", BARE, LINE, ADMIN, o.OK, b"", ""),
        ("version", BARE, LINE, ADMIN, o.TEXT, b"", ""),
        ("verbosity", BARE, LINE, ADMIN, o.OK, b"", ""),
        ("stats", BARE, LINES, ADMIN, o.TEXT + o.OK, b"", ""),
        ("shutdown", BARE, LINE, ADMIN, b"", b"", ""),
        ("quit", BARE, NOTHING, ADMIN, b"", b"", ""),
    ]
    return tuple(Command(i, row[0], row[0].encode(), *row[1:]) for i, row in enumerate(rows))


COMMANDS = _table()
BY_NAME = {command.name: command for command in COMMANDS}
BY_VERB = {command.verb: command for command in COMMANDS}
INQUIRING = b"__mcrouter__."  # how a key begins that asks the router itself, as in facebook/mcrouter

# How the README's table says it.
_SYNTAX = {
    KEYS: "key+", EXPTIME_KEYS: "exptime key+", STORE: "key flags exptime bytes [noreply]", KEY: "key [noreply]",
    STORE_CAS: "key flags exptime bytes unique [noreply]", KEY_NUMBER: "key number [noreply]", META: "key flag*",
    META_STORE: "key bytes flag*", BARE: "word*",
}  # fmt: skip
_ANSWER = {VALUES: "values, END", LINE: "a line", META_VALUE: "a value or a line", LINES: "lines, END", NOTHING: "-"}
_WORD = {
    o.VALUE: "VALUE", o.MISS: "END", o.STORED: "STORED", o.NOT_STORED: "NOT_STORED", o.EXISTS: "EXISTS",
    o.NOT_FOUND: "NOT_FOUND", o.DELETED: "DELETED", o.TOUCHED: "TOUCHED", o.NUMBER: "the number", o.OK: "OK",
}  # fmt: skip
_META_WORD = {o.VALUE: "VA", o.HEADER: "HD", o.MISS: "EN", o.NOT_STORED: "NS", o.EXISTS: "EX", o.NOT_FOUND: "NF"}
_OWN_WORD = {("version", o.TEXT): "VERSION", ("stats", o.TEXT): "STAT", ("mn", o.HEADER): "MN", ("me", o.HEADER): "ME"}


def _words(command: Command, codes: bytes) -> str:
    """These outcomes as the words that stand for them in the command's replies."""
    words = _META_WORD if command.request in (META, META_STORE) else _WORD
    each = [codes[i : i + 1] for i in range(len(codes))]
    return ", ".join(_OWN_WORD.get((command.name, code)) or words[code] for code in each) or "-"


def protocol_table() -> str:
    """The README's table of commands; what has no success is never sent to a host, so it takes no policy."""
    rows = [("command", "request", "reply", "kind", "success", "miss", "policy, if none is named"), ("---",) * 7]
    for command in COMMANDS:
        policy = f"that of `{command.like}`" if command.like else "`DefaultRoute`" if command.success else "-"
        says = _words(command, command.success), _words(command, command.miss)
        request = f"`{_SYNTAX[command.request]}`"
        rows.append((f"`{command.name}`", request, _ANSWER[command.reply], command.kind, *says, policy))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)

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
    meta_no = o.MISS + o.NOT_FOUND + o.NOT_STORED + o.EXISTS
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
        ("mg", META, META_VALUE, READ, o.VALUE + o.HEADER, meta_no, "get"),
        ("ms", META_STORE, LINE, WRITE, o.HEADER, meta_no, "set"),
        ("md", META, LINE, DELETE, o.HEADER, meta_no, "delete"),
        ("ma", META, META_VALUE, ARITHMETIC, o.VALUE + o.HEADER, meta_no, "incr"),
        ("mn", META, LINE, ADMIN, o.HEADER, b"", ""),
        ("me", META, LINE, READ, o.HEADER, meta_no, "get"),
        ("flush_all", BARE, LINE, ADMIN, o.OK, b"", ""),
        ("version", BARE, LINE, ADMIN, o.TEXT, b"", ""),
        ("verbosity", BARE, LINE, ADMIN, o.OK, b"", ""),
        ("stats", BARE, LINES, ADMIN, o.TEXT + o.OK, b"", ""),
        ("shutdown", BARE, LINE, ADMIN, o.OK, b"", ""),
        ("quit", BARE, NOTHING, ADMIN, b"", b"", ""),
    ]
    return tuple(Command(i, row[0], row[0].encode(), *row[1:]) for i, row in enumerate(rows))


COMMANDS = _table()
BY_NAME = {command.name: command for command in COMMANDS}
BY_VERB = {command.verb: command for command in COMMANDS}

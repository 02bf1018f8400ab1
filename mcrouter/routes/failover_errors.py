"""Reads `failover_errors`: the errors after which another child is asked, by facebook/mcrouter's names.

    failover_errors: [tko, timeout]               for all operations
    failover_errors: {gets: [tko], updates: []}   for some operations; the others have the default, every error
"""

from collections.abc import Mapping
from typing import Any, Dict, NamedTuple

from ..proto import outcomes as o
from ..proto.commands import DELETE, READ, VALUES, WRITE, Command

NAMES: Dict[str, bytes] = {
    "tko": o.TKO,
    "connect_error": o.UNAVAILABLE,
    "connect_timeout": o.UNAVAILABLE,
    "timeout": o.TIMEOUT,
    "remote_error": o.LOST + o.SERVER_ERROR,
    "local_error": o.LOCAL,
    "client_error": o.CLIENT_ERROR,
    **dict.fromkeys(("busy", "try_again", "shutdown", "deadline_exceeded"), b""),  # known names that never occur here
}
"""The outcomes by the names of facebook/mcrouter's results, without the prefix `mc_res_`."""
ALL = o.OUR_ERRORS + o.SERVER_ERROR
"""The default: facebook/mcrouter's failover errors."""
EVERYTHING = o.EVERYTHING


class FailoverErrors(NamedTuple):
    """The outcomes after which another child is asked, by kind of operation. Other operations have the default."""

    gets: bytes = ALL
    updates: bytes = ALL
    deletes: bytes = ALL

    def of(self, command: Command) -> bytes:
        """Returns the outcomes after which another child is asked for this command."""
        if command.kind == READ or command.reply == VALUES:
            return self.gets
        return self.updates if command.kind == WRITE else self.deletes if command.kind == DELETE else ALL

    def good(self, command: Command) -> bytes:
        """Returns all other outcomes: a child with one of them has given the answer."""
        return EVERYTHING.translate(None, self.of(command))


def error_list(value: Any) -> bytes:
    """Reads a list of names of errors, and returns their outcomes."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("write a list of names of errors, as [timeout, tko]")
    unknown = [name for name in value if name not in NAMES]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not the name of an error; write some of {', '.join(NAMES)}")
    return b"".join(NAMES[name] for name in value)


def failover_errors(value: Any) -> FailoverErrors:
    """Reads a config's `failover_errors`: one list for all operations, or a list for each kind."""
    if not isinstance(value, Mapping):
        codes = error_list(value)
        return FailoverErrors(codes, codes, codes)
    unknown = [key for key in value if key not in FailoverErrors._fields]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a kind of operation; write {', '.join(FailoverErrors._fields)}")
    return FailoverErrors(**{kind: error_list(names) for kind, names in value.items()})

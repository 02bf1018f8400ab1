"""NullRoute, DevNullRoute and ErrorRoute: they answer without asking a host."""

from typing import Dict, List, Optional, Tuple

from ..config.fields import Field, one_of, switch, text
from ..proto import outcomes as o
from ..proto.commands import ADMIN, COMMANDS, META, META_STORE, META_VALUE, STORE, STORE_CAS, VALUES
from ..proto.request import Request
from ..proto.seams import Sink
from .framework.base import Branch, Route, refuse
from .framework.context import RouteContext
from .framework.handle import Args, Handle

Answer = Tuple[bytes, bytes]


def default_reply(number: int) -> Answer:
    """Returns the answer without any host: a miss, or NOT_STORED for a store (facebook/mcrouter's defaults)."""
    return _DEFAULTS[number]


def _default(number: int) -> Answer:
    command = COMMANDS[number]
    if command.kind == ADMIN:
        return b"ERROR\r\n", o.ERROR
    if command.request == META_STORE:
        return b"NS\r\n", o.NOT_STORED
    if command.request == META:
        return (b"EN\r\n", o.MISS) if command.name in ("mg", "me") else (b"NF\r\n", o.NOT_FOUND)
    if command.reply in (VALUES, META_VALUE):
        return b"END\r\n", o.MISS
    if command.request in (STORE, STORE_CAS):
        return b"NOT_STORED\r\n", o.NOT_STORED
    return b"NOT_FOUND\r\n", o.NOT_FOUND


_ECHOING = frozenset(command.number for command in COMMANDS if command.name in ("mg", "ms", "md", "ma"))
_LINE = 2048  # bytes: the most that the line of a meta command has
_DEFAULTS: Dict[int, Answer] = {command.number: _default(command.number) for command in COMMANDS}


def answer_default(request: Request, sink: Sink) -> None:
    """Gives every command of the request its default reply."""
    if len(request.commands) == 1:
        (command,) = request.commands
        reply, code = _DEFAULTS[command]
        sink.on_reply(reply[:2] + _echo(request) + reply[2:] if command in _ECHOING else reply, code)
    else:
        answers = list(map(_DEFAULTS.__getitem__, request.commands))
        sink.on_reply(b"".join(reply for reply, _ in answers), b"".join(code for _, code in answers))


def _echo(request: Request) -> bytes:
    """Returns what every answer to a meta command repeats: the opaque and the key, if the command asks for them. A key
    in base64 is rendered where the answer leaves (proto/client/rendering.py), as for answers of hosts."""
    words = bytes(request.data[:_LINE]).partition(b"\n")[0].split()
    flags = words[3:] if words[0] == b"ms" else words[2:]
    echoed = [b" k" + words[1] if flag[:1] == b"k" else b" " + flag for flag in flags if flag[:1] in (b"k", b"O")]
    return b"".join(echoed)


class NullRoute(Route):
    """Answers as an empty cache does, and asks no host.

    | command               | answer                         |
    | get, gets, gat, gats  | END                            |
    | mg, me                | EN                             |
    | set, add, ... cas; ms | NOT_STORED; NS                 |
    | delete, touch, incr, decr; md, ma | NOT_FOUND; NF      |
    | commands without a key | ERROR                         |

    Meta commands get their opaque (O) and key (k) back, as from a host. With `event`, which DevNullRoute gives, each
    command is counted.
    """

    takes_runs = True

    def __init__(self, context: Optional[RouteContext] = None, event: str = "") -> None:
        self._count = context.count if context is not None else _count_nothing
        self._event = event

    def start(self, request: Request, sink: Sink) -> None:
        """Answers at once."""
        if self._event:
            for _ in request.commands:
                self._count(self._event)
        answer_default(request, sink)

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Describes the answer: no host is asked."""
        return "answers " + default_reply(*request.commands)[0].decode().strip(), []


class ErrorRoute(Route):
    """Answers every command with `SERVER_ERROR text`, and asks no host. For a failover route this is an error."""

    takes_runs = True

    def __init__(self, message: str) -> None:
        self._line = b"SERVER_ERROR %b\r\n" % " ".join(message.split()).encode(errors="replace")

    def start(self, request: Request, sink: Sink) -> None:
        """Answers at once."""
        refuse(request, sink, self._line, o.LOCAL)

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Describes the answer: no host is asked."""
        return "answers " + self._line.decode(errors="replace").strip(), []


def _count_nothing(name: str) -> None:
    pass


def _dev_null(args: Args, context: RouteContext) -> NullRoute:
    return NullRoute(context, "dev_null_requests")


HANDLES = (
    Handle("NullRoute", (), lambda args, context: NullRoute()),
    Handle("DevNullRoute", (), _dev_null),
    Handle(
        "ErrorRoute",
        (
            Field("response", read=text, default="local error", principal=True),
            Field("result", read=one_of("local_error"), default="local_error"),
            Field("enable_logging", read=switch, default=False),
        ),
        lambda args, context: ErrorRoute(args.response),
    ),
)

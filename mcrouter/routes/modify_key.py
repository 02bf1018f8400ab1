"""ModifyKeyRoute: passes requests on under another key than the client's."""

from typing import Any, List, Optional, Tuple

from ..config.fields import Field, Values, route, switch, text
from ..config.prefixes import wrong_prefix
from ..proto import outcomes as o
from ..proto.client.lines import MAX_KEY
from ..proto.commands import ADMIN, Command
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.rewriting import longest_key
from ..proto.seams import Destination, Sink
from .framework.base import ASKED, Branch, Route, refuse
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.keyed import names_of
from .framework.renamed import ask_renamed, prefix_of


class ModifyKeyRoute(Route):
    """Passes requests on under a changed key; the client sees its own key in the answer.

    | the key                              | becomes                                                                   |
    | begins with replace_key_prefix       | ensure_key_prefix and the rest of the key                                 |
    | begins with ensure_key_prefix        | unchanged                                                                 |
    | begins with neither                  | ensure_key_prefix and the key                                             |
    | ... with modify_inplace              | the same, but as many bytes of the key are overwritten, if it has so many |
    | any, with set_key_suffix             | the above and the suffix                                                  |
    | any, and hosts see routing prefixes  | the above with set_routing_prefix instead of the key's routing prefix     |

    | the changed key                             | the answer                                                     |
    | is empty, or longer than 250 bytes          | SERVER_ERROR ModifyKeyRoute: invalid key; no host is asked     |
    | has the flag `b`, and is longer in base64   | the same                                                       |

    In a get of several keys, one invalid key fails the whole get.
    """

    def __init__(self, args: Args, sees_prefixes: bool) -> None:
        self._target = args.target
        self._sees_prefixes = sees_prefixes
        self._routing = args.set_routing_prefix if sees_prefixes else None
        self._replace: Optional[bytes] = args.replace_key_prefix
        self._ensure: bytes = args.ensure_key_prefix
        self._suffix: bytes = args.set_key_suffix
        self._inplace = args.modify_inplace
        self.may_ask_another_host, self.splits = args.target.may_ask_another_host, args.target.splits

    def changed(self, key: bytes) -> bytes:
        """Returns the changed key."""
        prefix = prefix_of(key) if self._sees_prefixes else b""
        rest = key[len(prefix) :]
        if self._routing is not None:
            prefix = self._routing
        if self._replace is not None and rest.startswith(self._replace):
            rest = self._ensure + rest[len(self._replace) :]
        elif not rest.startswith(self._ensure):
            room = len(self._ensure)
            rest = self._ensure + (rest[room:] if self._inplace and len(rest) >= room else rest)
        return prefix + rest + self._suffix

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the target under the changed key."""
        names = names_of(request)
        changed = list(map(self.changed, names))
        most = longest_key(request)
        wrong = next(filter(None, (_wrong(key, most) for key in changed)), b"")
        if changed == names:
            self._target.start(request, sink)
        elif wrong:
            refuse(request, sink, b"SERVER_ERROR ModifyKeyRoute: invalid key: %b\r\n" % wrong, o.LOCAL)
        else:
            ask_renamed(self._target, request, sink, self.changed)

    def after_failure(self, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Lets the target continue: it was given the request unchanged."""
        self._target.after_failure(request, sink, host, reply, outcomes)

    def routes(self) -> List[Route]:
        """Returns the target."""
        return [self._target]

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Describes the changed keys."""
        keys = b" ".join(map(self.changed, names_of(request)))
        return f"as {keys.decode(errors='replace')}", [(ASKED, self._target)]


def _wrong(key: bytes, most: int) -> bytes:
    return b"missing" if not key else b"too long" if len(key) > most else b""


def _part(value: Any) -> bytes:
    """Reads a part of a key from the config."""
    part = text(value).encode(errors="surrogatepass")
    if len(part) > MAX_KEY or any(byte <= 32 or byte == 127 for byte in part):
        raise ValueError(f"write at most {MAX_KEY} bytes without blanks and control characters")
    return part


def _routing_prefix(value: Any) -> bytes:
    """Reads a routing prefix from the config; empty stands for none."""
    if text(value) and wrong_prefix(value) is not None:
        raise ValueError("write it as /region/cluster/, or empty for none")
    return str(value).encode()


def _changes_nothing(args: Values, command: Command) -> Optional[int]:
    changes = args["ensure_key_prefix"] or args["set_key_suffix"]
    changes = changes or args["replace_key_prefix"] or args["set_routing_prefix"] is not None
    return int(args["target"]) if command.kind == ADMIN or not changes else None


def _make(args: Args, context: RouteContext) -> ModifyKeyRoute:
    return ModifyKeyRoute(args, context.keeps_prefixes)


HANDLE = Handle(
    "ModifyKeyRoute",
    (
        route("target", principal=True),
        Field("ensure_key_prefix", read=_part, default=b""),
        Field("set_routing_prefix", read=_routing_prefix, default=None),
        Field("replace_key_prefix", read=_part, default=None),
        Field("set_key_suffix", read=_part, default=b""),
        Field("modify_inplace", read=switch, default=False),
    ),
    _make,
    specialise=_changes_nothing,
)

"""ShadowRoute: sends copies of some requests to other routes, and drops the answers to the copies."""

from typing import List, Optional, Tuple

from ..config.fields import RECORDS, Field, Values, number, pair, route, routes, text, texts, unused
from ..hashing import routing_key
from ..hashing.spooky import hash32
from ..proto.background import background
from ..proto.commands import ADMIN, Command
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.seams import Destination, Sink, Source
from .framework.base import ASKED, COPY, Branch, Route, start_guarded
from .framework.context import Copies, RouteContext
from .framework.handle import Args, Handle
from .framework.keyed import names_of
from .framework.portions import portion
from .framework.renamed import prefix_of

MOST_COPIES = 1000
"""How many copies may be under way to one target (the default of facebook/mcrouter's target-max-shadow-requests)."""
_MOST_CHILDREN = 1_000_000_000


class ShadowRoute(Route):
    """Asks the child, whose answer is the answer; copies of the request go to the targets of the shadows.

    | option of a shadow    | default | which requests are copied                                                   |
    | index_range           | all     | those to the children from the first place to the one before the second     |
    | key_fraction_range    | all     | those whose key hashes (SpookyV2) into this part of [0, 1]                  |
    | keys_to_shadow        | none    | those for these keys; key_fraction_range is then ignored                    |
    | requests_fraction     | 1       | this share of them, chosen at random                                        |
    | key_fraction_range_rv | -       | none, unless there is a key_fraction_range: there are no runtime variables  |

    | the child | the target               | the answer |
    | answers x | anything, or no answer   | x          |

    Of a get of several keys and of a run only the items that qualify are copied. Nothing is copied of a value that is
    too large to be held in memory, or while 1000 copies are under way to the target. With several children the config
    loader makes one ShadowRoute for each.
    """

    def __init__(self, args: Args, context: RouteContext) -> None:
        self._child = args.children[0]
        self._shadows = [_Shadow(one, context) for one in args.shadows]
        self._all = [self._child, *(one.target for one in args.shadows)]
        self.takes_runs = all(one.takes_runs for one in self._all)
        self.may_ask_another_host, self.splits = self._child.may_ask_another_host, self._child.splits

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the child, and the targets that the request qualifies for."""
        if request.large_value is None:
            for shadow in self._shadows:
                shadow.copy(request)
        self._child.start(request, sink)

    def after_failure(self, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Lets the child continue: it was given the request unchanged."""
        self._child.after_failure(request, sink, host, reply, outcomes)

    def routes(self) -> List[Route]:
        """Returns the child and the targets."""
        return self._all

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists the child, and the targets that the keys qualify for."""
        shadows = [(COPY, shadow.target) for shadow in self._shadows if any(map(shadow.wants, names_of(request)))]
        return "", [(ASKED, self._child), *shadows]


class _Copy:
    """A copy under way, and the sink of its answer, which is dropped."""

    __slots__ = ("_copies", "_count")

    def __init__(self, copies: Copies, count: int) -> None:
        self._copies = copies
        self._count = count
        copies.count += count

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Drops the answer."""
        self.over()

    def over(self) -> None:
        """Ends the copy: it is no longer under way."""
        self._copies.count -= self._count
        self._count = 0


class _Shadow:
    """Selects and sends the copies for one target."""

    def __init__(self, args: Args, context: RouteContext) -> None:
        self.target = args.target
        self._copies: Copies = context.copies.setdefault(args.target, Copies())
        self._context = context
        self._keys = frozenset(key.encode(errors="surrogatepass") for key in args.keys_to_shadow)
        low, high = args.key_fraction_range or ((0.0, 0.0) if args.key_fraction_range_rv else (0.0, 1.0))
        self._low, self._high = int(low * 0xFFFFFFFF), int(high * 0xFFFFFFFF)
        self._fraction: float = args.requests_fraction
        self._copies_all = not self._keys and (low, high) == (0.0, 1.0)

    def wants(self, key: bytes) -> bool:
        """Returns whether requests for this key qualify."""
        if self._copies_all:
            return True
        key = routing_key(key[len(prefix_of(key)) :] if self._context.keeps_prefixes else key)
        if self._keys:
            return key in self._keys
        return self._low <= hash32(key, 0) <= self._high

    def copy(self, request: Request) -> None:
        """Sends the target a copy of the items that qualify."""
        if self._copies.count >= MOST_COPIES:
            return
        names = request.names()
        places = [place for place, key in enumerate(names) if self.wants(key) and self._by_chance()]
        if places:
            asked = request if len(places) == len(names) else portion(request, places)
            made, copy = background(asked), _Copy(self._copies, len(asked.commands))
            client: Source = made.client
            client.when_abandoned(made, copy.over)
            start_guarded(self.target, made, copy)

    def _by_chance(self) -> bool:
        return self._fraction >= 1 or bool(self._context.chance.random() < self._fraction)


def _without_shadows(args: Values, command: Command) -> Optional[int]:
    children = args["children"]
    return int(children[0]) if children and (command.kind == ADMIN or not args["shadows"]) else None


HANDLE = Handle(
    "ShadowRoute",
    (
        routes(),
        Field(
            "shadows",
            RECORDS,
            default=(),
            fields=(
                route("target"),
                Field("index_range", read=pair(0, _MOST_CHILDREN, whole=True), default=None),
                Field("key_fraction_range", read=pair(0, 1, whole=False), default=None),
                Field("keys_to_shadow", read=texts, default=()),
                Field("requests_fraction", read=number(0, 1, whole=False), default=1.0),
                Field("key_fraction_range_rv", read=text, default=""),
                *unused("validate_replies"),
            ),
        ),
        *unused("shadow_policy"),
    ),
    ShadowRoute,
    specialise=_without_shadows,
)

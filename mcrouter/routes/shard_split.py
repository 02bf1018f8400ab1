"""ShardSplitRoute: spreads the keys of a hot shard over several shard names, so that several hosts share its load."""

from collections.abc import Mapping
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from ..config.fields import Field, Values, number, record, route, switch
from ..hashing import routing_key
from ..proto.background import background
from ..proto.commands import ADMIN, COMMANDS, DELETE, Command
from ..proto.reply import Reply
from ..proto.request import Request
from ..proto.rewriting import longest_key
from ..proto.seams import Destination, Sink
from .framework.base import ASKED, COPY, DROP_REPLY, Branch, Route, start_guarded
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.keyed import names_of
from .framework.renamed import ask_renamed, prefix_of, renamed

_MOST = 26 * 26 + 1
_HOSTS = 16384  # number of host ids that a migration distinguishes (facebook/mcrouter)
_LATEST = 2**53  # seconds


class Split(NamedTuple):
    """The number of parts of a shard: `old` before `start`, `new` after start + period (Unix time, seconds).

    In between more and more routers change from `old` to `new`. `fanout`: deletes go to all parts.
    """

    old: int
    new: int
    start: int = 0
    period: int = 0
    fanout: bool = True

    def parts(self, now: float, host_id: int) -> int:
        """Returns the number of parts that this machine uses at this time."""
        if now < self.start:
            return self.old
        if now > self.start + self.period:
            return self.new
        return self.new if host_id % _HOSTS / _HOSTS * self.period < now - self.start else self.old

    def all_parts(self, now: float) -> int:
        """Returns the number of parts that any machine may use at this time.

        In a migration other machines fill parts that this one does not read, and a delete must reach them.
        (facebook/mcrouter deletes only in its own parts, which leaves old values in the others.)
        """
        if now < self.start:
            return self.old
        return self.new if now > self.start + self.period else max(self.old, self.new)


class ShardSplitRoute(Route):
    """Splits each shard in `shard_splits` into parts named shard, shardaa, shardba ... Its keys are `a:shard:rest`; the
    host id selects the part that this router uses, its own part.

    | shard_splits, by shard id        | default |                                                                |
    | a number                         |         | the number of parts; deletes go to all parts                   |
    | old_split_size, new_split_size   | 1       | the number of parts before and after the migration             |
    | split_start, migration_period    | 0       | when the migration begins (Unix time), how long it takes (s)   |
    | fanout_deletes                   | false   | whether deletes go to all parts                                |

    | command                     | asked                                                         | the answer         |
    | delete, md, with fanout     | all parts; all but the one named shard in the background      | that of this part  |
    | any other                   | the own part                                                  | that of this part  |

    A key without such a shard, or one that would become too long, is passed on unchanged.
    """

    def __init__(self, args: Args, context: RouteContext) -> None:
        self._target = args.target
        self._splits: Dict[bytes, Split] = args.shard_splits
        self._context = context
        self.may_ask_another_host, self.splits = args.target.may_ask_another_host, args.target.splits

    def start(self, request: Request, sink: Sink) -> None:
        """Asks for the own part, or for all parts."""
        names, most = names_of(request), longest_key(request)
        (command,) = request.commands
        if COMMANDS[command].kind == DELETE:
            (key,) = names
            parts = self._deleted(key, most)
            for part in range(1, parts):
                start_guarded(self._target, *renamed(background(request), DROP_REPLY, self._as_part(part, most)))
            if parts:
                self._target.start(request, sink)
                return
        own = self._own(most)
        if list(map(own, names)) == names:
            self._target.start(request, sink)
        else:
            ask_renamed(self._target, request, sink, own)

    def _deleted(self, key: bytes, most: int) -> int:
        """Returns the number of parts that a delete goes to; 0 if only to the own part."""
        split = self._find(key, most)[0]
        return split.all_parts(self._context.wall()) if split is not None and split.fanout else 0

    def _own(self, most: int) -> Callable[[bytes], bytes]:
        """Returns a function that gives a key's name in the own part."""

        def own(key: bytes) -> bytes:
            split, end = self._find(key, most)
            if split is None:
                return key
            host_id = self._context.host_id
            return _in_part(key, end, host_id % split.parts(self._context.wall(), host_id))

        return own

    def _as_part(self, part: int, most: int) -> Callable[[bytes], bytes]:
        return lambda key: _in_part(key, self._find(key, most)[1], part)

    def _find(self, key: bytes, most: int) -> "Tuple[Optional[Split], int]":
        """Returns (how the key's shard is split, where its id ends in the key).

        The split is None if the key has no such shard, or if its name in a part would have more than `most` bytes.
        """
        at = len(prefix_of(key)) if self._context.keeps_prefixes else 0
        name = routing_key(key[at:])
        first, _, rest = name.partition(b":")
        shard, colon, _ = rest.partition(b":")
        if not colon or not shard[-1:].isdigit() or len(key) + 2 > most:
            return None, 0
        return self._splits.get(shard), at + len(first) + 1 + len(shard)

    def after_failure(self, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Lets the target continue: it was given the request unchanged."""
        self._target.after_failure(request, sink, host, reply, outcomes)

    def routes(self) -> List[Route]:
        """Returns the target."""
        return [self._target]

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Describes the parts that are asked."""
        names, most = names_of(request), longest_key(request)
        (command,) = request.commands
        if COMMANDS[command].kind == DELETE:
            (key,) = names
            parts = self._deleted(key, most)
            if parts:
                copies = [(COPY, self._target)] if parts > 1 else []
                return f"in all of {parts} parts", [(ASKED, self._target), *copies]
        keys = b" ".join(map(self._own(most), names))
        return f"as {keys.decode(errors='replace')}", [(ASKED, self._target)]


def _in_part(key: bytes, end: int, part: int) -> bytes:
    """Returns the key with the part's two letters after the shard's id; unchanged for part 0."""
    if not part:
        return key
    return key[:end] + bytes([97 + (part - 1) % 26, 97 + (part - 1) // 26]) + key[end:]


_SIZE = number(1, _MOST)
_TIME = number(0, _LATEST)
_MIGRATION = record(
    old_split_size=(_SIZE, 1),
    new_split_size=(_SIZE, 1),
    split_start=(_TIME, 0),
    migration_period=(_TIME, 0),
    fanout_deletes=(switch, False),
)


def _splits(value: Any) -> Dict[bytes, Split]:
    """Reads the `shard_splits` of a config."""
    if not isinstance(value, Mapping):
        raise ValueError("write a map from shards to numbers of parts")
    return {str(shard).encode(errors="surrogatepass"): _split(shard, its) for shard, its in value.items()}


def _split(shard: Any, value: Any) -> Split:
    try:
        if isinstance(value, Mapping):
            return Split(*_MIGRATION(value).values())
        parts = _SIZE(value)
    except ValueError as error:
        raise ValueError(f"for shard {shard} {error}") from None
    return Split(parts, parts)


def _most_parts(args: Values) -> int:
    """Returns the most requests that one delete may become."""
    return max((max(split.old, split.new) for split in args["shard_splits"].values() if split.fanout), default=1)


def _about_no_shard(args: Values, command: Command) -> Optional[int]:
    return int(args["target"]) if command.kind == ADMIN or not args["shard_splits"] else None


HANDLE = Handle(
    "ShardSplitRoute",
    (route("target", principal=True)._replace(also=("destination",)), Field("shard_splits", read=_splits)),
    ShardSplitRoute,
    specialise=_about_no_shard,
    times=_most_parts,
)

"""ShardSplitRoute: the keys of a hot shard under several shards' names, so that several hosts share its load."""

from collections.abc import Mapping
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from ..config.fields import Field, number, record, route, switch
from ..hashing import routing_key
from ..proto.background import background
from ..proto.commands import ADMIN, COMMANDS, DELETE, Command
from ..proto.requests import Request
from ..proto.rewriting import longest_key
from .base import ASKED, COPY, NOBODY, Branch, Route, start_guarded
from .handle import Args, Handle
from .keyed import names_of
from .kit import Kit
from .renamed import ask_renamed, prefix_of, renamed

_MOST = 26 * 26 + 1
_HOSTS = 16384  # host ids that a migration tells apart (facebook/mcrouter)
_LATEST = 2**53  # seconds


class Split(NamedTuple):
    """How a shard is split: into `old` parts before `start`, into `new` after start + period (Unix time, seconds), and
    on more and more hosts in between. `fanout`: deletes go to all parts."""

    old: int
    new: int
    start: int = 0
    period: int = 0
    fanout: bool = True

    def parts(self, now: float, host_id: int) -> int:
        """Into how many parts this host splits it."""
        if now < self.start:
            return self.old
        if now > self.start + self.period:
            return self.new
        return self.new if host_id % _HOSTS / _HOSTS * self.period < now - self.start else self.old

    def all_parts(self, now: float) -> int:
        """How many parts there may be on any host. In a migration other hosts fill parts that this one does not read:
        a delete must reach them (facebook/mcrouter deletes in its own parts alone, which leaves old values there)."""
        if now < self.start:
            return self.old
        return self.new if now > self.start + self.period else max(self.old, self.new)


class ShardSplitRoute(Route):
    """The keys `a:shard:rest` of a shard in `shard_splits` are spread over the shards shard, shardaa, shardba ...; this
    router's own part is the one of its host id.

    | shard_splits, for a shard's id   | default |                                                          |
    | a number                         |         | into so many parts; deletes go to all                    |
    | old_split_size, new_split_size   | 1       | into so many before and after the migration              |
    | split_start, migration_period    | 0       | when that begins (Unix time), and how long it takes (s)  |
    | fanout_deletes                   | false   | whether deletes go to all parts                          |

    | command                           | asked                                                        | the answer |
    | delete, md, where they go to all  | all parts, and nobody waits for any but the shard's own name | that one's |
    | any other                         | this router's own part                                       | its        |

    A key without such a shard, and one that would become too long, is passed on as it is.
    """

    def __init__(self, args: Args, kit: Kit) -> None:
        self._target = args.target
        self._splits: Dict[bytes, Split] = args.shard_splits
        self._kit = kit
        self.goes_on, self.splits = args.target.goes_on, args.target.splits

    def start(self, request: Request, sink: Any) -> None:
        """Asks for the part, or for all."""
        names, most = names_of(request), longest_key(request)
        if COMMANDS[request.kinds[0]].kind == DELETE:
            for part in range(1, self._deleted(names[0], most)):
                start_guarded(self._target, *renamed(background(request), NOBODY, self._as_part(part, most)))
            if self._deleted(names[0], most):
                self._target.start(request, sink)
                return
        own = self._own(most)
        if list(map(own, names)) == names:
            self._target.start(request, sink)
        else:
            ask_renamed(self._target, request, sink, own)

    def _deleted(self, key: bytes, most: int) -> int:
        """In how many parts a delete takes place; 0 if in this router's own alone."""
        split = self._find(key, most)[0]
        return split.all_parts(self._kit.wall()) if split is not None and split.fanout else 0

    def _own(self, most: int) -> Callable[[bytes], bytes]:
        """Gives keys in this router's part."""

        def own(key: bytes) -> bytes:
            split, end = self._find(key, most)
            if split is None:
                return key
            host_id = self._kit.host_id
            return _in_part(key, end, host_id % split.parts(self._kit.wall(), host_id))

        return own

    def _as_part(self, part: int, most: int) -> Callable[[bytes], bytes]:
        return lambda key: _in_part(key, self._find(key, most)[1], part)

    def _find(self, key: bytes, most: int) -> "Tuple[Optional[Split], int]":
        """(how the key's shard is split, where its id ends); none where a part's name would have more than `most`
        bytes."""
        at = len(prefix_of(key)) if self._kit.keeps_prefixes else 0
        name = routing_key(key[at:])
        begin = name.find(b":") + 1
        end = name.find(b":", begin) if begin else -1
        if end <= begin or not name[end - 1 : end].isdigit() or len(key) + 2 > most:
            return None, 0
        return self._splits.get(name[begin:end]), at + end

    def go_on(self, request: Request, sink: Any, host: Any, reply: bytes, outcomes: bytes) -> None:
        """The target goes on with what it was given as it was."""
        self._target.go_on(request, sink, host, reply, outcomes)

    def routes(self) -> List[Any]:
        """The target."""
        return [self._target]

    def outlook(self, request: Request) -> "Tuple[str, List[Branch]]":
        """The part, or all."""
        names, most = names_of(request), longest_key(request)
        if COMMANDS[request.kinds[0]].kind == DELETE and self._deleted(names[0], most):
            parts = self._deleted(names[0], most)
            return f"in all of {parts} parts", [(ASKED, self._target), *([(COPY, self._target)] if parts > 1 else [])]
        keys = b" ".join(map(self._own(most), names))
        return f"as {keys.decode(errors='replace')}", [(ASKED, self._target)]


def _in_part(key: bytes, end: int, part: int) -> bytes:
    """The key with the part's two letters behind its shard's id; as it is in part 0."""
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
    """Reads how each shard is split."""
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


def _most_parts(args: Mapping[str, Any]) -> int:
    """What a delete may be made into."""
    return max((max(split.old, split.new) for split in args["shard_splits"].values() if split.fanout), default=1)


def _about_no_shard(args: "Mapping[str, Any]", command: Command) -> Optional[int]:
    return int(args["target"]) if command.kind == ADMIN or not args["shard_splits"] else None


HANDLE = Handle(
    "ShardSplitRoute",
    (route("target", principal=True)._replace(also=("destination",)), Field("shard_splits", read=_splits)),
    ShardSplitRoute,
    narrow=_about_no_shard,
    times=_most_parts,
)

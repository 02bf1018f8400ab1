"""Policies drawn out of all handles that there are: what a handle can be given is read off its fields."""

from typing import Any, Dict, List, Mapping, Sequence

from hypothesis import strategies as st

from mcrouter.config.fields import BY_NAME, RECORDS, REQUIRED, ROUTE, ROUTES, UNUSED, VALUE, Field
from mcrouter.hashing import HASHES
from mcrouter.routes.framework.handle import Handle
from mcrouter.routes.handles import HANDLES, ORDERED_POOL_HANDLES

# What a plain value can be, by the field's name; those that its reader does not take are left out, and a field that is
# not here is left to its default.
EXAMPLES: Dict[str, Sequence[Any]] = {
    "action": ("set", "min"),
    "ensure_key_prefix": ("p:",),
    "exptime": (0, 60),
    "failover_count": (1, 2, 5),
    "failover_errors": ([], ["tko"], ["timeout", "remote_error"], {"gets": ["tko"], "deletes": []}),
    "failover_exptime": (0, 60),
    "failover_policy": ({"type": "LeastFailuresPolicy", "max_tries": 2},
                        {"type": "DeterministicOrderPolicy", "max_tries": 3, "max_error_tries": 2}),
    "first_hit": (True, False),
    "all_sync": (True, False),
    "hash_func": tuple(HASHES),
    "interval": (60,),
    "index_range": ([0, 0], [0, 3]),
    "key_fraction_range": ([0.0, 1.0], [0.0, 0.5]),
    "max_outstanding": (10,),
    "rates": ({"gets_rate": 1000.0, "sets_rate": 1000.0},),
    "replicas": (2, 3),
    "response": ("no",),
    "return_best_on_error": (True, False),
    "salt": ("", "x"),
    "set_key_suffix": (":s",),
    "shard_splits": ({"1": 2},),
    "start_time": (1_000_000_000, 3_000_000_000),
    "upgradingL1Exptime": (60,),
}  # fmt: skip
BY_CHANCE = ("RandomRoute", "SlowWarmUpRoute", "LoadBalancerRoute")
"""Who is asked is not for the policy and the request alone to say."""
NOT_NAMED = ("LocalRoute", "AsynclogRoute")
"""The router's own answers; what the reader of a config makes of a pool."""

HOSTS = ("a:1", "b:1", "c:1", "d:1", "e:1")
KEYS = ("a", "ab", "k:1", "k:2", "x|#|y", "zz")
_PREFIXES = ("a", "ab", "k:")
_NAMED_COMMANDS = ("get", "set", "delete", "mg", "incr", "touch")
COMMANDS = ("get", "gets", "gat", "set", "add", "cas", "append", "delete", "incr", "decr", "touch", "mg", "ms", "md", "ma", "me")
_DEEPEST = 3


def examples(field: Field) -> List[Any]:
    """The values that a plain field can be given."""
    fine = []
    for value in EXAMPLES.get(field.name, ()):
        try:
            field.read(value)
        except ValueError:
            continue
        fine.append(value)
    return fine


def lacks(handle: Handle) -> List[str]:
    """The fields without which a config cannot name the handle, and of which no example is known."""
    return [field.name for field in handle.fields if field.kind == VALUE and field.default is REQUIRED and not examples(field)]


def drawable(table: Mapping[str, Handle]) -> List[str]:
    """The handles to draw from."""
    return [name for name, handle in table.items() if name not in BY_CHANCE + NOT_NAMED and not lacks(handle)]


@st.composite
def configs(draw: Any, hosts: Sequence[str] = HOSTS) -> Dict[str, Any]:
    """A config as plain values, in either form."""
    if draw(st.booleans()):
        pool = list(hosts[: draw(st.integers(1, len(hosts)))])
        return {"orderedPool": pool, "route": draw(_routes(ORDERED_POOL_HANDLES, [*pool, "DefaultRoute"], [], 0))}
    pools = {"A": {"servers": list(hosts[:3])}, "B": {"servers": list(hosts[3:])}, "C": {"servers": list(hosts[1:2])}}
    leaves = [f"PoolRoute|{name}" for name in pools]
    return {"pools": pools, "route": draw(_routes(HANDLES, leaves, [f"Pool|{name}" for name in pools], 0))}


@st.composite
def _routes(draw: Any, table: Mapping[str, Handle], leaves: List[str], several: List[str], depth: int) -> Any:
    """A route. `leaves` are texts for one without others within, `several` for those of all servers of a pool."""
    if depth == _DEEPEST or (depth and draw(st.integers(0, 2)) == 0):
        return draw(st.sampled_from(leaves))
    names = drawable(table)
    if depth == 0:  # one that asks somebody
        names = [name for name in names if any(field.kind in (ROUTE, ROUTES, BY_NAME) for field in table[name].fields)]
    name = draw(st.sampled_from(names))
    inner = _routes(table, leaves, several, depth + 1)
    return {"type": name, **draw(_values(name, table[name].fields, inner, several))}


@st.composite
def _values(draw: Any, name: str, fields: Sequence[Field], inner: Any, several: List[str]) -> Dict[str, Any]:
    given = {}
    for field in fields:
        wanted = field.default is REQUIRED or field.kind in (ROUTE, ROUTES) or draw(st.booleans())
        if field.kind == UNUSED or not wanted:
            continue
        value = draw(_value(field, inner, several if name != "ShadowRoute" else []))
        if name == "ShadowRoute" and field.kind == ROUTES:
            value = value[:1]  # with more it is as many routes
        if value is not None:
            given[field.name] = value
    return given


def _value(field: Field, inner: Any, several: List[str]) -> Any:
    if field.kind == ROUTE:
        return inner
    if field.kind == ROUTES:
        return st.lists(st.sampled_from(several) | inner if several else inner, min_size=1, max_size=3)
    if field.kind == BY_NAME:
        return st.dictionaries(st.sampled_from(_NAMED_COMMANDS if field.names is None else _PREFIXES), inner, max_size=3)
    if field.kind == RECORDS:
        return st.lists(_values("", field.fields, inner, several), min_size=1, max_size=2)
    fine = examples(field)
    return st.sampled_from(fine) if fine else st.none()


requests = st.tuples(st.sampled_from(("get",) * 8 + COMMANDS), st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True)).map(
    lambda drawn: [drawn[0], *(drawn[1] if drawn[0] in ("get", "gets", "gat") else drawn[1][:1])]
)
"""The words of a request."""

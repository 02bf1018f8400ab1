"""PoolRoute: a hash over the servers of a pool, and the routes that its options add. It is not a route of its own: when
the config is read, it is expanded into other routes, here.

    shard_splits( rates( HashRoute( each server: shadows( slow_warmup( max_outstanding( asynclog( host )))))))
"""

from collections.abc import Mapping
from typing import Any, Optional

from .fields import REQUIRED, Field, number, switch, text, unused
from .model import RouteSpec
from .syntax.tree import Node

POOL_ROUTE = "PoolRoute"
SHADOW_ROUTE = "ShadowRoute"
EXPANDED = "expanded"
"""The kind of a field that is read only when the PoolRoute is expanded."""


class PoolRoute:
    """Expands PoolRoutes; `policy` is the reader that it is part of."""

    def __init__(self, policy: Any) -> None:
        self._policy = policy
        self.fields: tuple[Field, ...] = (
            Field("pool", EXPANDED, principal=True, default=REQUIRED),
            Field("hash", EXPANDED, default=None),
            Field("rates", EXPANDED, default=None),
            Field("shadows", EXPANDED, default=None),
            Field("max_outstanding", read=number(0, 1_000_000_000), default=0),
            Field("slow_warmup", EXPANDED, default=None),
            Field("shard_splits", EXPANDED, default=None),
            Field("asynclog", read=switch, default=True),
            Field("asynclog_name", read=text, default=""),
            Field("name", read=text, default=""),
            *unused("shadow_policy", "big_value_routing", "bucketize", "axonlog", "pool_id"),
        )

    def expand(self, node: Node, args: Mapping[str, Any]) -> int:
        """Expands a PoolRoute with these fields; returns the index of the outermost route."""
        policy = self._policy
        pool = policy.pools.get(args["pool"])
        log = (args["asynclog_name"] or args["name"] or pool.name) if args["asynclog"] else ""
        servers = [self._server(node, server, pool, args, log) for server in pool.servers]
        if args["shadows"] is not None:
            servers = self._shadowed(node, servers, args["shadows"])
        index = self._hashed(node, servers, pool, args)
        if args["rates"] is not None:
            index = self._wrap(node, "RateLimitRoute", index, "rates", args["rates"])
        if args["shard_splits"] is not None:
            index = self._wrap(node, "ShardSplitRoute", index, "shard_splits", args["shard_splits"])
        return index

    def _server(self, node: Node, server: Any, pool: Any, args: Mapping[str, Any], log: str) -> int:
        policy = self._policy
        index: int = policy.server(server, pool.values)
        if log and isinstance(server, str):
            args_of_log = {"target": index, "host": server, "pool": log}
            index = policy.once(f"AsynclogRoute|{index}|{log}", RouteSpec("AsynclogRoute", args_of_log))
        if args["max_outstanding"]:
            limit = {"target": index, "max_outstanding": args["max_outstanding"]}
            index = self._add(node, "OutstandingLimitRoute", limit)
        if args["slow_warmup"] is not None:
            field = policy.field_of("SlowWarmUpRoute", "slow_warmup")
            value = policy.field_value(field, args["slow_warmup"], POOL_ROUTE)
            index = self._add(node, "SlowWarmUpRoute", {"target": index, "slow_warmup": value})
        return index

    def _shadowed(self, node: Node, servers: "list[int]", shadows: Node) -> "list[int]":
        """Returns each server with the shadows whose index_range contains its place."""
        records = self._policy.field_value(self._policy.field_of(SHADOW_ROUTE, "shadows"), shadows, POOL_ROUTE)
        return list(self.spread(self._add(node, SHADOW_ROUTE, {"children": tuple(servers), "shadows": records})))

    def spread(self, index: int) -> "tuple[int, ...]":
        """Divides a ShadowRoute into one for each of its children, with the shadows whose index_range contains the
        child's place; returns their indices. Any other route is returned unchanged."""
        spec = self._policy.specs[index]
        if spec.type != SHADOW_ROUTE:
            return (index,)
        made = []
        for place, child in enumerate(spec.args["children"]):
            own = tuple(one for one in spec.args["shadows"] if _in_range(place, one["index_range"]))
            args = {"children": (child,), "shadows": own}
            made.append(self._policy.add(spec._replace(args=args)) if own else child)
        return tuple(made)

    def _hashed(self, node: Node, servers: "list[int]", pool: Any, args: Mapping[str, Any]) -> int:
        """Appends the hash over the servers; returns its index. Options of the route override those of the pool."""
        policy, values = self._policy, pool.values
        options: dict[str, Any] = {"name": pool.name, "children": tuple(servers)}
        options["tags"] = tuple(server if isinstance(server, str) else str(i) for i, server in enumerate(pool.servers))
        options.update({name: values[name] for name in ("tags", "error_on_empty") if name in values})
        if "weights" in values:
            options.update(hash_func="WeightedCh3", weights=values["weights"])
        if args["hash"] is not None:
            options.update(policy.hash_options(args["hash"]))
        return self._add(node, "HashRoute", {**policy.defaults_of("HashRoute"), **options})

    def _wrap(self, node: Node, handle: str, index: int, field: str, value: Node) -> int:
        return self._add(node, handle, self._policy.wrapper_args(handle, field, value, index))

    def _add(self, node: Node, handle: str, args: Mapping[str, Any]) -> int:
        index: int = self._policy.checked(node, RouteSpec(handle, args, node.line, node.column))
        return index


def _in_range(place: int, range_: "Optional[tuple[int, int]]") -> bool:
    # The end of a range is excluded, as in facebook/mcrouter's makeShadowRoutes.
    return range_ is None or range_[0] <= place < range_[1]

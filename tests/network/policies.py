"""Policies under which a client that is the only one to write its keys knows every answer, while no host fails.

Each takes the hosts' addresses and gives a config. What is read was written to the host that is asked: by routes that
write to all, or to the host that is first for reads as well. A cold, near or second pool begins empty.
"""

import json
from typing import Any, Callable, Dict, List, NamedTuple

from tests.support.processes import config

HOSTS = 3


class Policy(NamedTuple):
    """A policy by name; `text` makes the config."""

    name: str
    text: Callable[[List[str]], str]


def _seed(name: str, hosts: int = 2, route: str = "") -> Policy:
    """A policy over an orderedPool: one route for all commands, or the sample policy."""
    return Policy(name, lambda addresses: config(addresses[:hosts], route))


def _pools(name: str, route: Any) -> Policy:
    """A policy over pools: `A`, `B` and `C` of one host each, `all` of every host."""

    def text(addresses: List[str]) -> str:
        pools: Dict[str, Any] = {name: {"servers": [address]} for name, address in zip("ABC", addresses)}
        return json.dumps({"pools": {**pools, "all": {"servers": addresses}}, "route": route})

    return Policy(name, text)


def _modified(target: Any) -> Any:
    return {"type": "ModifyKeyRoute", "target": target, "ensure_key_prefix": "inner:"}


A, B, C, ALL = "PoolRoute|A", "PoolRoute|B", "PoolRoute|C", "PoolRoute|all"

STRICT = [
    _seed("DefaultRoute", route="DefaultRoute"),
    _seed("sample"),
    _seed("AllFastestRoute", route="AllFastestRoute"),
    _pools("AllSyncRoute", {"type": "AllSyncRoute", "children": [A, B]}),
    _pools("AllMajorityRoute", {"type": "AllMajorityRoute", "children": [A, B, C]}),
    _pools("AllInitialRoute", {"type": "AllInitialRoute", "children": [A, B]}),
    _pools("MissFailoverRoute", {"type": "MissFailoverRoute", "children": [A, B]}),
    _pools("FailoverRoute over hashes", {"type": "FailoverRoute", "children": [ALL, A]}),
    _pools("ModifyKeyRoute over hashes", _modified(ALL)),
    _pools("ShadowRoute over KeySplitRoute", {
        "type": "ShadowRoute",
        "children": [{"type": "KeySplitRoute", "destination": ALL, "replicas": 2, "all_sync": True}],
        "shadows": [{"target": _modified(B)}],
    }),
]  # fmt: skip

MORE = [
    _pools("WarmUpRoute", {"type": "WarmUpRoute", "cold": A, "warm": B}),
    _pools("L1L2CacheRoute", {"type": "L1L2CacheRoute", "l1": A, "l2": B, "upgradingL1Exptime": 60}),
    _pools("LatestRoute", {"type": "LatestRoute", "children": [A, B, C], "failover_count": 2}),
]

"""Policies under which a client that is the only one to use its keys knows every answer, while no host fails."""

import enum
import json
from typing import Any, Dict, FrozenSet, List, NamedTuple

from tests.support.processes import config


class Alike(enum.Enum):
    """What the hosts have in the end, when none has failed."""

    NO = "each has what the policy gave it"
    ALL = "all have the same"
    COMMON = "all have the same of the keys that all have: a copy may be dropped, and is then a missed write"


class Policy(NamedTuple):
    """A policy over so many hosts. `keeps`: what is stored is found again; else all is answered as by NullRoute.
    `without` are commands whose answers are not known."""

    hosts: int
    route: Any
    alike: Alike = Alike.NO
    keeps: bool = True
    without: FrozenSet[str] = frozenset()

    def comparable(self) -> "Policy":
        """The same without conditional commands, so that hosts can be compared that have missed writes."""
        return self._replace(without=self.without | CONDITIONAL)

    def text(self, addresses: List[str]) -> str:
        """The config."""
        if isinstance(self.route, str):
            return config(addresses, self.route)
        pools: Dict[str, Any] = {name: {"servers": [address]} for name, address in zip("ABC", addresses)}
        return json.dumps({"pools": {**pools, "all": {"servers": addresses}}, "route": self.route["route"]})


def _pools(route: Any) -> Any:
    """A route in a config with pools: `A`, `B` and `C` of one host each, `all` of every host."""
    return {"route": route}


def _children(name: str, *children: Any) -> Any:
    return _pools({"type": name, "children": list(children)})


_A, _B, _C, _ALL = (f"PoolRoute|{name}" for name in ("A", "B", "C", "all"))
_MODIFIED = {"type": "ModifyKeyRoute", "target": _ALL, "ensure_key_prefix": "inner:"}
_SPLIT = {"type": "KeySplitRoute", "destination": _ALL, "replicas": 2, "all_sync": True}
CONDITIONAL = frozenset({"add", "cas"})
"""Commands that depend on what a host has: one that is failed over, or a copy that has missed a write, does not agree."""

POLICIES: Dict[str, Policy] = {
    "default": Policy(1, "DefaultRoute"),
    "sample": Policy(3, "", Alike.ALL, without=frozenset({"cas"})),
    "sync": Policy(2, "AllSyncRoute", Alike.ALL),
    "majority": Policy(3, "AllMajorityRoute", Alike.ALL),
    "initial": Policy(2, "AllInitialRoute", Alike.COMMON, without=CONDITIONAL),
    "fastest": Policy(3, "AllFastestRoute", Alike.ALL),
    "miss": Policy(2, "MissFailoverRoute", without=CONDITIONAL),
    "hash": Policy(3, _pools(_ALL)),
    "async": Policy(2, _children("AllAsyncRoute", _A, _B), Alike.COMMON, keeps=False, without=CONDITIONAL),
    "failover": Policy(3, _children("FailoverRoute", _ALL, _B)),
    "modify": Policy(3, _pools(_MODIFIED)),
    "split": Policy(3, _pools(_SPLIT)),
    "shadow": Policy(3, _pools({"type": "ShadowRoute", "children": [_A], "shadows": [{"target": _MODIFIED}]})),
    "sync pools": Policy(2, _children("AllSyncRoute", _A, _B), Alike.ALL),
    "majority pools": Policy(3, _children("AllMajorityRoute", _A, _B, _C), Alike.ALL),
    "initial pools": Policy(2, _children("AllInitialRoute", _A, _B), Alike.COMMON, without=CONDITIONAL),
    "fastest pools": Policy(3, _children("AllFastestRoute", _A, _B, _C), Alike.ALL),
    "miss pools": Policy(2, _children("MissFailoverRoute", _A, _B), without=CONDITIONAL),
}

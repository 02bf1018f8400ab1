"""The one table of handles: the routes that a config can name, in its two forms, and the module of each, which is
imported when a config names the route. The README's table derives from it."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Dict, Iterator

from ..system.deferred import own
from .framework.handle import Handle

_MODULES = {
    "OperationSelectorRoute": "selectors:HANDLES",
    "PrefixSelectorRoute": "selectors:HANDLES",
    "DefaultRoute": "default:HANDLE",
    "LocalRoute": "local:HANDLE",
    "NullRoute": "null:HANDLES",
    "DevNullRoute": "null:HANDLES",
    "ErrorRoute": "null:HANDLES",
    "HashRoute": "hash:HANDLE",
    "AllMajorityRoute": "to_all:HANDLES",
    "AllSyncRoute": "to_all:HANDLES",
    "AllInitialRoute": "to_all:HANDLES",
    "AllAsyncRoute": "to_all:HANDLES",
    "ModifyKeyRoute": "modify_key:HANDLE",
    "ModifyExptimeRoute": "modify_exptime:HANDLE",
    "RateLimitRoute": "rate_limit:HANDLE",
    "OutstandingLimitRoute": "outstanding_limit:HANDLE",
    "LatencyInjectionRoute": "latency_injection:HANDLE",
    "LoggingRoute": "logged:HANDLE",
    "ShadowRoute": "shadow:HANDLE",
    "KeySplitRoute": "key_split:HANDLE",
    "ShardSplitRoute": "shard_split:HANDLE",
    "FailoverRoute": "failover:HANDLE",
    "FailoverWithExptimeRoute": "failover_with_exptime:HANDLE",
    "LatestRoute": "latest:HANDLE",
    "RandomRoute": "choices:HANDLES",
    "HostIdRoute": "choices:HANDLES",
    "LoadBalancerRoute": "load_balancer:HANDLE",
    "WarmUpRoute": "warm_up:HANDLE",
    "SlowWarmUpRoute": "slow_warm_up:HANDLE",
    "MigrateRoute": "migrate:HANDLE",
    "L1L2CacheRoute": "l1l2:HANDLE",
    "StagingRoute": "staging:HANDLE",
    "AllFastestRoute": "all_fastest:HANDLE",
    "MissFailoverRoute": "miss_failover:HANDLE",
}
_IN_ORDERED_POOL_FORM = {
    "AllFastestRoute": "all_fastest:ORDERED_POOL_HANDLE",
    "MissFailoverRoute": "miss_failover:ORDERED_POOL_HANDLE",
}
_INTERNAL = {"RootRoute": "selectors:ROOT", "AsynclogRoute": "asynclog:HANDLE"}

for _place in dict.fromkeys([*_MODULES.values(), *_INTERNAL.values()]):
    own(f"routes.{_place.partition(':')[0]}")


class Handles(Mapping[str, Handle]):
    """Handles by name. A handle's module is imported when the handle is first looked up; names alone import nothing."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules
        self._known: Dict[str, Handle] = {}

    def __getitem__(self, name: str) -> Handle:
        handle = self._known.get(name)
        if handle is None:
            module, _, attribute = self._modules[name].partition(":")
            found = getattr(import_module(f".{module}", __package__), attribute)
            several = (found,) if isinstance(found, Handle) else found
            handle = self._known[name] = next(one for one in several if one.name == name)
        return handle

    def get(self, name: str, default: Any = None) -> Any:
        """As of a dict, and about as fast: a large config asks often."""
        return self._known.get(name) or (self[name] if name in self._modules else default)

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


INTERNAL = Handles(_INTERNAL)
"""Routes that no config names: the router adds them by itself."""
HANDLES = Handles(_MODULES)
"""For a config with `pools`: the routes behave as in facebook/mcrouter."""
ORDERED_POOL_HANDLES = Handles({**_MODULES, **_IN_ORDERED_POOL_FORM})
"""For a config with an `orderedPool`."""
ALL_HANDLES = Handles({**_MODULES, **_INTERNAL})
"""`HANDLES` and `INTERNAL`."""
ALL_ORDERED_POOL_HANDLES = Handles({**_MODULES, **_IN_ORDERED_POOL_FORM, **_INTERNAL})
"""`ORDERED_POOL_HANDLES` and `INTERNAL`."""

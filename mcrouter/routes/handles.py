"""The one table of handles: the routes that a config can name, in its two forms. The README's table derives from it."""

from typing import Dict, Tuple

from . import (
    all_fastest,
    asynclog,
    choices,
    default,
    failover,
    failover_with_exptime,
    key_split,
    l1l2,
    latency_injection,
    latest,
    load_balancer,
    local,
    logged,
    migrate,
    miss_failover,
    modify_exptime,
    modify_key,
    null,
    outstanding_limit,
    rate_limit,
    selectors,
    shadow,
    shard_split,
    slow_warm_up,
    staging,
    to_all,
    warm_up,
)
from . import hash as hashed
from .handle import Handle

_BOTH: Tuple[Handle, ...] = (
    *selectors.HANDLES,
    default.HANDLE,
    local.HANDLE,
    *null.HANDLES,
    hashed.HANDLE,
    *to_all.HANDLES,
    modify_key.HANDLE,
    modify_exptime.HANDLE,
    rate_limit.HANDLE,
    outstanding_limit.HANDLE,
    latency_injection.HANDLE,
    logged.HANDLE,
    shadow.HANDLE,
    key_split.HANDLE,
    shard_split.HANDLE,
    failover.HANDLE,
    failover_with_exptime.HANDLE,
    latest.HANDLE,
    *choices.HANDLES,
    load_balancer.HANDLE,
    warm_up.HANDLE,
    slow_warm_up.HANDLE,
    migrate.HANDLE,
    l1l2.HANDLE,
    staging.HANDLE,
)


def _table(*handles: Handle) -> Dict[str, Handle]:
    return {handle.name: handle for handle in handles}


INTERNAL = _table(selectors.ROOT, asynclog.HANDLE)
"""Routes that no config names: the router adds them by itself."""
HANDLES = _table(*_BOTH, all_fastest.HANDLE, miss_failover.HANDLE)
"""For a config with `pools`: the routes behave as in facebook/mcrouter."""
SEED = _table(*_BOTH, all_fastest.SEED, miss_failover.SEED)
"""For a config with an `orderedPool`."""

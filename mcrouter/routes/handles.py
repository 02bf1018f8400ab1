"""The one table of handles: what a config can name, in its two forms. The README's table derives from it."""

from typing import Dict, Tuple

from . import (
    all_fastest,
    asynclog,
    default,
    key_split,
    latency_injection,
    local,
    logged,
    miss_failover,
    modify_exptime,
    modify_key,
    null,
    outstanding_limit,
    rate_limit,
    selectors,
    shadow,
    shard_split,
    to_all,
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
)


def _table(*handles: Handle) -> Dict[str, Handle]:
    return {handle.name: handle for handle in handles}


INTERNAL = _table(selectors.ROOT, asynclog.HANDLE)
"""What a config cannot name, and is made of its other parts."""
HANDLES = _table(*_BOTH, all_fastest.HANDLE, miss_failover.HANDLE)
"""With `pools`: facebook/mcrouter's meaning."""
SEED = _table(*_BOTH, all_fastest.SEED, miss_failover.SEED)
"""With an `orderedPool`."""

"""The one table of handles: what a config can name, in its two forms. The README's table derives from it."""

from typing import Dict, Tuple

from ..config.fields import Field, route
from . import all_fastest, default, local, miss_failover, null, selectors, to_all
from . import hash as hashed
from .handle import Handle

_BOTH: Tuple[Handle, ...] = (
    *selectors.HANDLES,
    default.HANDLE,
    local.HANDLE,
    *null.HANDLES,
    hashed.HANDLE,
    *to_all.HANDLES,
)


def _table(*handles: Handle) -> Dict[str, Handle]:
    return {handle.name: handle for handle in handles}


_ASYNCLOG = Handle(  # TO BE DROPPED: stands in for the real one until that is merged
    "AsynclogRoute", (route("target"), Field("host"), Field("pool")), lambda args, kit: args.target
)
INTERNAL = _table(selectors.ROOT, _ASYNCLOG)
"""What a config cannot name, and is made of its other parts."""
HANDLES = _table(*_BOTH, all_fastest.HANDLE, miss_failover.HANDLE)
"""With `pools`: facebook/mcrouter's meaning."""
SEED = _table(*_BOTH, all_fastest.SEED, miss_failover.SEED)
"""With an `orderedPool`."""

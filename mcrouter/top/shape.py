"""The shape of `/status.json`. The server at an address may not be a router, so its answer is checked before it is
shown."""

from typing import Any

from ..counters.reader import DIVIDED, HEALTHY, REJOINING, UNHEALTHY, UNKNOWN

_MOST = 1e12  # a count, a rate or a Unix time that can be shown
_STATE = frozenset((HEALTHY, UNHEALTHY, REJOINING, DIVIDED, UNKNOWN))
_PERHAPS = (None, float)
_HOST = {
    "host": str,
    "state": _STATE,
    "since": _PERHAPS,
    **dict.fromkeys(("requests_per_second", "connections", "missed_writes"), float),
    **dict.fromkeys(("error_rate", "hit_rate", "p50", "p95", "p99"), _PERHAPS),
    "history": {"requests_per_second": [_PERHAPS]},
}
STATUS = {
    "name": str,
    "version": str,
    **dict.fromkeys(("started", "now", "loops"), float),
    "clients": {"requests_per_second": float, "open": float},
    "config": {"since": float, "last_error": (None, {"at": float, "text": str})},
    "hosts": [_HOST],
    "changes": [{"at": float, "host": str, "from": str, "to": _STATE}],
}
"""A map and a list have the shapes of what they hold; a tuple has alternatives; a set has words; float stands for a
number from 0 on."""


def fits(value: Any, shape: Any = STATUS) -> bool:
    """Returns whether a value has the shape."""
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(key in value and fits(value[key], inner) for key, inner in shape.items())
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(item, shape[0]) for item in value)
    if isinstance(shape, tuple):
        return any(fits(value, one) for one in shape)
    if isinstance(shape, frozenset):
        return isinstance(value, str) and value in shape
    if shape is float:
        return isinstance(value, (int, float)) and 0 <= value <= _MOST
    return isinstance(value, str) if shape is str else value is shape

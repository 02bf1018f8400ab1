"""Limits the number of requests to hosts that one request may become. Named routes can use one another: thirty of them,
each using the one before it twice, would send 2^30 requests."""

from collections.abc import Mapping, Sequence
from typing import Optional

from .fields import HandleFields, children
from .model import HOST, RouteSpec

MAX_LEAVES = 2_000
"""The most requests to hosts that one request may become, if everything fails that can fail. Each costs up to 5
microseconds in a tick (10 with a system call of its own), and no client is served meanwhile."""


def first_too_many(specs: Sequence[RouteSpec], handles: Mapping[str, HandleFields]) -> Optional[RouteSpec]:
    """Returns the first route, children before parents, with more requests than that; None if there is none.

    A route may ask all its children, at once or in turn; a route that chooses one asks only that one of them.
    """
    counts: list[int] = []
    for spec in specs:
        handle = handles.get(spec.type)
        counts.append(requests_of(spec, handle, [counts[child] for child in _inner(spec, handle)]))
        if counts[-1] > MAX_LEAVES:
            return spec
    return None


def requests_of(spec: RouteSpec, handle: Optional[HandleFields], inner: Sequence[int]) -> int:
    """Returns the most requests to hosts that a route makes of one request; `inner`: the same of its children."""
    if spec.type == HOST:
        return 1
    if handle is None or handle.chooses_one:
        return max(inner, default=0)
    return sum(inner) * handle.times(spec.args)


def _inner(spec: RouteSpec, handle: Optional[HandleFields]) -> "list[int]":
    """Returns the indices of a route's children. A route without a declaration is one that this package adds."""
    if handle is not None:
        return list(children(handle.fields, spec.args))
    if spec.type == "RootRoute":
        return list(spec.args["routes"].values())
    return [spec.args["target"]] if "target" in spec.args else []

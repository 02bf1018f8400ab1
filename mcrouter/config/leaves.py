"""Limits the number of requests to hosts that one request may become. Named routes can use one another: thirty of them,
each using the one before it twice, would send 2^30 requests."""

from collections.abc import Mapping, Sequence
from typing import Optional

from .fields import HandleFields, children
from .model import HOST, RouteSpec

MAX_LEAVES = 20_000
"""The most requests to hosts that one request may become, if everything fails that can fail."""


def first_too_many(specs: Sequence[RouteSpec], handles: Mapping[str, HandleFields]) -> Optional[RouteSpec]:
    """Returns the first route, children before parents, with more requests than that; None if there is none.

    A route may ask all its children, at once or in turn; a route that picks asks only one of them.
    """
    counts: list[int] = []
    for spec in specs:
        handle = handles.get(spec.type)
        inner = [counts[child] for child in _inner(spec, handle)]
        picks = handle is None or handle.picks
        counts.append(1 if spec.type == HOST else max(inner, default=0) if picks else sum(inner))
        if counts[-1] > MAX_LEAVES:
            return spec
    return None


def _inner(spec: RouteSpec, handle: Optional[HandleFields]) -> "list[int]":
    """Returns the indices of a route's children. A route without a declaration is one that this package adds."""
    if handle is not None:
        return list(children(handle.fields, spec.args))
    if spec.type == "RootRoute":
        return list(spec.args["routes"].values())
    return [spec.args["target"]] if "target" in spec.args else []

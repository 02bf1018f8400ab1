"""How many requests a policy makes of one. Handles that are named can use one another: thirty of them, each using the
one before it twice, would make 2^30."""

from collections.abc import Mapping, Sequence
from typing import Optional

from .fields import HandleFields, children
from .model import HOST, RouteSpec

MAX_LEAVES = 2_000
"""Requests to hosts that a policy may make of one request, if all that can fail does. One costs up to 5 microseconds in
a tick (10 with a system call of its own), and no client is served meanwhile."""


def first_too_many(specs: Sequence[RouteSpec], handles: Mapping[str, HandleFields]) -> Optional[RouteSpec]:
    """The first handle, children before parents, that makes more of one request; None if there is none.

    Of several children each is asked (all of them, or one after the other), and of a handle that picks one, that one.
    """
    counts: list[int] = []
    for spec in specs:
        handle = handles.get(spec.type)
        counts.append(requests_of(spec, handle, [counts[child] for child in _inner(spec, handle)]))
        if counts[-1] > MAX_LEAVES:
            return spec
    return None


def requests_of(spec: RouteSpec, handle: Optional[HandleFields], inner: Sequence[int]) -> int:
    """How many requests to hosts a handle makes of one, at the most; `inner` says the same of those within it."""
    if spec.type == HOST:
        return 1
    if handle is None or handle.picks:
        return max(inner, default=0)
    return sum(inner) * handle.times(spec.args)


def _inner(spec: RouteSpec, handle: Optional[HandleFields]) -> "list[int]":
    """The places of a handle's children; without a declaration, it is one of those that a config is given here."""
    if handle is not None:
        return list(children(handle.fields, spec.args))
    if spec.type == "RootRoute":
        return list(spec.args["routes"].values())
    return [spec.args["target"]] if "target" in spec.args else []

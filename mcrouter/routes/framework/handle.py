"""Handles: the types of route that a config can name, each with its fields and the function that makes the route."""

from types import SimpleNamespace
from typing import Any, Callable, Mapping, NamedTuple, Optional, Tuple

from ...config.fields import BY_NAME, RECORDS, ROUTE, ROUTES, Field
from ...proto.commands import Command
from .context import RouteContext

Args = SimpleNamespace
"""The value of each field by its name. For a field that holds a route, the value is the route object."""
Specialise = Callable[[Mapping[str, Any], Command], Optional[int]]


class Handle(NamedTuple):
    """A type of route.

    `make(args, kit)` returns the route. `narrow(args, command)` returns the index of the child that serves this command
    alone, so that this route is left out for it; None if this route has work to do. It is called when the config is
    loaded, never for a request. `collapse_if_one`: with one child the route is that child, without children it is
    NullRoute. `state(args, kit)` makes what the routes of all commands share for one place in the config, for example a
    limit; the routes get it as `args.state`. `check(args)` raises ValueError, with what would be right, if the values
    do not fit together. `picks`: each request goes to one child, never to several. `times(args)`: how often one request
    may go to the same child.
    """

    name: str
    fields: Tuple[Field, ...]
    make: Callable[[Args, RouteContext], Any]
    specialise: Optional[Specialise] = None
    collapse_if_one: bool = False
    state: Optional[Callable[[Args, RouteContext], Any]] = None
    check: Optional[Callable[[Mapping[str, Any]], Any]] = None
    picks: bool = False
    times: Callable[[Mapping[str, Any]], int] = lambda args: 1


def filled(fields: Tuple[Field, ...], args: Mapping[str, Any], made: Any) -> Args:
    """Returns the values of these fields, with each index of a route replaced by the route from `made`."""
    return Args(**{**args, **{field.name: _value(field, args.get(field.name), made) for field in fields}})


def _value(field: Field, value: Any, made: Any) -> Any:
    if value is None:
        return None
    if field.kind == ROUTE:
        return made[value]
    if field.kind == ROUTES:
        return [made[index] for index in value]
    if field.kind == BY_NAME:
        return {name: made[index] for name, index in value.items()}
    if field.kind == RECORDS:
        return [filled(field.fields, record, made) for record in value]
    return value

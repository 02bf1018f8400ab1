"""Handles: the types of route that a config can name, each with its fields and the function that makes the route."""

from types import SimpleNamespace
from typing import Any, Callable, NamedTuple, Optional, Protocol, Tuple

from ...config.fields import BY_NAME, RECORDS, ROUTE, ROUTES, Field, Values
from ...proto.commands import Command
from .base import Route
from .context import RouteContext

Args = SimpleNamespace
"""The value of each field by its name. For a field that holds a route, the value is the route object."""
Specialise = Callable[[Values, Command], Optional[int]]


class RoutesByPlace(Protocol):
    """The routes that were made, by their place in the config."""

    def __getitem__(self, place: int) -> Route:
        """Returns the route at this place."""


class Handle(NamedTuple):
    """A type of route.

    `make(args, context)` returns the route. `specialise(args, command)` returns the index of the child that serves this
    command alone, so that this route is left out for it; None if this route has work to do. It is called when the
    config is loaded, never for a request. `collapse_if_one`: with one child the route is that child, without children
    it is NullRoute. `state(args, context)` makes what the routes of all commands share for one place in the config, for
    example a limit; the routes get it as `args.state`. `check(args)` raises ValueError, with what would be right, if
    the values do not fit together. `chooses_one`: each request goes to one child, never to several. `times(args)`: how
    often one request may go to the same child.
    """

    name: str
    fields: Tuple[Field, ...]
    make: Callable[[Args, RouteContext], Route]
    specialise: Optional[Specialise] = None
    collapse_if_one: bool = False
    state: Optional[Callable[[Args, RouteContext], Any]] = None
    check: Optional[Callable[[Values], None]] = None
    chooses_one: bool = False
    times: Callable[[Values], int] = lambda args: 1


def filled(fields: Tuple[Field, ...], args: Values, made: RoutesByPlace) -> Args:
    """Returns the values of these fields, with each index of a route replaced by the route from `made`."""
    return Args(**{**args, **{field.name: _value(field, args.get(field.name), made) for field in fields}})


def _value(field: Field, value: Any, made: RoutesByPlace) -> Any:
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

"""What a config can name: a handle is a type of route, the fields that it takes, and how it is made of them."""

from types import SimpleNamespace
from typing import Any, Callable, Mapping, NamedTuple, Optional, Tuple

from ..config.fields import BY_NAME, RECORDS, ROUTE, ROUTES, Field
from ..proto.commands import Command
from .kit import Kit

Args = SimpleNamespace
"""The value of each field by its name; where the config has a route, the route."""
Narrow = Callable[[Mapping[str, Any], Command], Optional[int]]


class Handle(NamedTuple):
    """A type of route. `make(args, kit)` gives the route.

    `narrow(args, command)`: the index of the one among its routes that serves this command alone, so that the
    handle has no part in it; None if it has. It is asked when the config is loaded, never on the way. `lone`: with one
    child it is that child, without any it is NullRoute. `state(args, kit)` makes what all routes made for one place in
    the config share, as a limit; they get it as `args.state`. `check(args)` raises ValueError, with what would be
    right, if the values do not go together. `picks`: a request goes to one of its routes, never to several.
    `times(args)`: how often one request may be asked of a route within it.
    """

    name: str
    fields: Tuple[Field, ...]
    make: Callable[[Args, Kit], Any]
    narrow: Optional[Narrow] = None
    lone: bool = False
    state: Optional[Callable[[Args, Kit], Any]] = None
    check: Optional[Callable[[Mapping[str, Any]], Any]] = None
    picks: bool = False
    times: Callable[[Mapping[str, Any]], int] = lambda args: 1


def filled(fields: Tuple[Field, ...], args: Mapping[str, Any], made: Any) -> Args:
    """The values of these fields, with the routes in the place of their indices."""
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

"""The fields of a route in a config, and the readers that check their values.

A route type declares its fields once; the reader of configs, its errors, `explain` and the README derive from that. A
field holds another route (ROUTE), several routes (ROUTES), routes by name (BY_NAME), maps with fields of their own
(RECORDS), or a plain VALUE, which `read` checks: it returns the value in the form that the route needs, or raises
ValueError with what would be right.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Callable, NamedTuple, Optional, Protocol

ROUTE, ROUTES, BY_NAME, RECORDS, VALUE, UNUSED = "route", "routes", "by name", "records", "value", "unused"
REQUIRED = object()
"""The default of a field that must be there."""

Read = Callable[[Any], Any]
Values = Mapping[str, Any]
"""The values of a route's fields by their names, as read. For a field that holds routes: their indices."""


class Field(NamedTuple):
    """One field; `principal`: it is the field that the short form (`Type|rest`) sets."""

    name: str
    kind: str = VALUE
    read: Read = lambda value: value
    default: Any = REQUIRED
    principal: bool = False
    fields: "tuple[Field, ...]" = ()  # of a record
    also: tuple[str, ...] = ()  # other names of the field
    names: Optional[Callable[[str], Optional[str]]] = None  # BY_NAME: what is wrong with a name, None if nothing is


class HandleFields(Protocol):
    """The part of a Handle that this package needs."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields."""

    @property
    def check(self) -> Optional[Callable[[Values], Any]]:
        """Raises ValueError, with what would be right, if the values do not fit together."""

    @property
    def chooses_one(self) -> bool:
        """Whether each request goes to one child, never to several."""

    @property
    def times(self) -> Callable[[Values], int]:
        """How often one request may be asked of a route within it, by its values."""


def children(fields: Iterable[Field], args: Values) -> Iterator[int]:
    """Yields the indices of all routes among the values of these fields."""
    for field in fields:
        value = args.get(field.name)
        if value is None:
            continue
        if field.kind == ROUTE:
            yield value
        elif field.kind == ROUTES:
            yield from value
        elif field.kind == BY_NAME:
            yield from value.values()
        elif field.kind == RECORDS:
            for record in value:
                yield from children(field.fields, record)


def route(name: str, default: Any = REQUIRED, principal: bool = False) -> Field:
    """Returns a field for one route; with `default` None the route is optional."""
    return Field(name, ROUTE, default=default, principal=principal)


def routes(name: str = "children", default: Any = REQUIRED, principal: bool = True) -> Field:
    """Returns a field for several routes: a list, a map, a single route, or "" for none."""
    return Field(name, ROUTES, default=default, principal=principal)


def unused(*names: str) -> tuple[Field, ...]:
    """Returns fields for options that have no effect here: they are accepted with a warning."""
    return tuple(Field(name, UNUSED, default=None) for name in names)


# readers ----------------------------------------------------------------------------------------------------------


def number(low: float, high: float, whole: bool = True) -> Read:
    """Returns a reader of numbers from `low` to `high`."""
    ends = " to ".join(str(int(end)) if end == int(end) else f"{end:g}" for end in (low, high))
    what = f"{'a whole number' if whole else 'a number'} from {ends}"

    def read(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise ValueError(f"write {what}")
        if whole and value != int(value):
            raise ValueError(f"write {what}")
        return int(value) if whole else float(value)

    return read


def text(value: Any) -> str:
    """Reads a text."""
    if not isinstance(value, str):
        raise ValueError("write a text, in quotes")
    return value


def switch(value: Any) -> bool:
    """Reads true or false."""
    if not isinstance(value, bool):
        raise ValueError("write true or false")
    return value


def one_of(*words: Any) -> Read:
    """Returns a reader of one of these words."""
    shown = ", ".join(str(word).lower() if isinstance(word, bool) else str(word) for word in words)

    def read(value: Any) -> Any:
        if value not in words:
            raise ValueError(f"write {'one of ' if len(words) > 1 else ''}{shown}")
        return value

    return read


def pair(low: float, high: float, whole: bool) -> Read:
    """Returns a reader of a range: a list of two numbers, of which the first is not greater than the second."""
    one = number(low, high, whole)

    def read(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != 2 or one(value[0]) > one(value[1]):
            raise ValueError("write a list of two numbers, the smaller first")
        return one(value[0]), one(value[1])

    return read


def numbers(low: float, high: float) -> Read:
    """Returns a reader of a list of numbers."""
    one = number(low, high, whole=False)

    def read(value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError("write a list of numbers")
        return tuple(one(item) for item in value)

    return read


def texts(value: Any) -> tuple[str, ...]:
    """Reads a list of texts."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("write a list of texts")
    return tuple(value)


def record(**fields: "tuple[Read, Any]") -> Read:
    """Returns a reader of a map with these fields; each field is (reader, default)."""

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError(f"write a map with {', '.join(fields)}")
        unknown = [key for key in value if key not in fields]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is not a known key; write a map with {', '.join(fields)}")
        return {name: _one(name, value, *field) for name, field in fields.items()}

    return read


def _one(name: str, values: Mapping[Any, Any], read: Read, default: Any) -> Any:
    if name not in values:
        if default is REQUIRED:
            raise ValueError(f"{name} is missing; add it")
        return default
    try:
        return read(values[name])
    except ValueError as error:
        raise ValueError(f"{name} is invalid; {error}") from None

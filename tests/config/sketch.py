"""A checked policy as a line of text, to compare it with what a test expects."""

from typing import Any, Optional

from mcrouter.config import Config
from mcrouter.config.fields import BY_NAME, RECORDS, REQUIRED, ROUTE, ROUTES, Field
from mcrouter.config.model import HOST
from mcrouter.routes.build import KEEP, table_of


def sketch(config: Config, index: Optional[int] = None, log: bool = False) -> str:
    """The policy as `Type(children, field=value)`: hosts by name, fields only where they are not the default. A RootRoute
    with one route, and the tags and the name that a pool gives to its hash, are left out; so is the async log, but with
    `log`."""
    spec = config.routes[config.route if index is None else index]
    if spec.type == HOST:
        return str(spec.args["host"])
    if spec.type == KEEP:
        return f"keep({sketch(config, spec.args['target'], log)})"
    if spec.type == "AsynclogRoute":
        target = sketch(config, spec.args["target"], log)
        return f"log({target}, {spec.args['pool']})" if log else target
    if spec.type == "RootRoute" and len(spec.args["routes"]) == 1:
        return sketch(config, next(iter(spec.args["routes"].values())), log)
    args = spec.args if spec.type != "HashRoute" else {**spec.args, "tags": None, "name": ""}
    fields = [field for field in table_of(config)[spec.type].fields if field.name in args]
    shown = [_field(config, field, args[field.name], log) for field in fields if _told(field, args[field.name])]
    return f"{spec.type}({', '.join(shown)})"


def _told(field: Field, value: Any) -> bool:
    return value is not None and (field.default is REQUIRED or value != field.default)


def _field(config: Config, field: Field, value: Any, log: bool) -> str:
    if field.kind == ROUTE:
        shown = sketch(config, value, log)
    elif field.kind == ROUTES:
        shown = ", ".join(sketch(config, one, log) for one in value)
    elif field.kind == BY_NAME:
        shown = "{" + ", ".join(f"{name}: {sketch(config, one, log)}" for name, one in value.items()) + "}"
    elif field.kind == RECORDS:
        records = [[_field(config, one, record[one.name], log) for one in field.fields if _told(one, record.get(one.name))]
                   for record in value]  # fmt: skip
        shown = "[" + "; ".join(", ".join(record) for record in records) + "]"
    else:
        shown = str(value)
    return shown if field.kind == ROUTES and field.principal else f"{field.name}={shown}"

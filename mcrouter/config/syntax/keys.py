"""The one table of the keys of a config: the reader's lists and the README's tables derive from it."""

from collections.abc import Mapping
from typing import NamedTuple

from ..fields import BY_NAME, RECORDS, ROUTE, ROUTES, UNUSED, VALUE, Field, HandleFields

POOL, POOLS, ROUTES_BY_PREFIX, NAMED = "orderedPool", "pools", "routes", "named_handles"
THE_ROUTE, REJOIN, JOURNAL = "route", "onRejoin", "rejoinJournalKeys"
SERVERS, INHERIT, POOL_NAME = "servers", "inherit", "name"


class Key(NamedTuple):
    """One key: the kind of its value, its default, and its meaning."""

    name: str
    value: str
    default: str
    meaning: str


TOP = (
    Key(POOL, "a list of hosts", "-", "the hosts, in order of preference"),
    Key(POOLS, "a map of pools", "-", "facebook/mcrouter's form, not needed if the routes define their pools"),
    Key(THE_ROUTE, "a route", "-", "the route of all requests"),
    Key(ROUTES_BY_PREFIX, "a list of {aliases, route}, or a map", "-", "a route for each routing prefix"),
    Key(NAMED, "a list of routes, or a map", "none", "routes that others refer to by name"),
    Key(REJOIN, "ignore, replay or flush", "see there", "what happens to writes that a host has missed"),
    Key(JOURNAL, "a number", "1000000", "how many keys of missed writes are kept for a host that is down"),
)
"""The keys at the top of a config."""

OF_A_POOL = (
    Key(SERVERS, "a list of hosts or routes", "-", "host:port, [v6]:port or unix:/path"),
    Key(INHERIT, "a pool's name", "-", "takes every key from that pool which this one does not have"),
    Key(POOL_NAME, "a text", "-", "the name of a pool that is defined within a route"),
    Key("server_timeout", "ms", "--timeout-ms", "how long a host may take to answer"),
    Key("connect_timeout", "ms", "server_timeout", "how long a host may take to accept a connection"),
    Key("port_override", "a port", "-", "the port of all hosts of the pool"),
    Key("weights", "a list of numbers", "equal", "weights for the weighted hashes, one for each server"),
    Key("keep_routing_prefix", "true or false", "false", "hosts get keys with their routing prefix"),
    Key("protocol", "ascii", "ascii", "only memcached's text protocol is supported"),
    Key("security_mech", "plain", "plain", "TLS to hosts is not supported"),
    Key("use_ssl", "off or false", "off", "TLS to hosts is not supported"),
    Key("error_on_empty", "true or false", "true", "a pool without servers answers an error, not a miss"),
    Key("tags", "a list of texts", "names", "names for the rendezvous hashes, one for each server"),
)
"""The keys of a pool."""


def keys_table() -> str:
    """Returns the README's table of keys."""
    rows = [("key", "value", "default", "meaning"), ("---",) * 4]
    rows += [(f"`{key.name}`", key.value, key.default, key.meaning) for key in TOP]
    rows += [(f"`{key.name}` of a pool", key.value, key.default, key.meaning) for key in OF_A_POOL]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def options_table(handles: "Mapping[str, HandleFields]") -> str:
    """Returns the README's table of the options of handles."""
    rows = [("handle", "options, with their defaults"), ("---",) * 2]
    for name, handle in handles.items():
        given = [_shown(field) for field in handle.fields if field.kind != UNUSED]
        if given:
            rows.append((f"`{name}`", ", ".join(given)))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


_WHAT = {ROUTE: "a route", ROUTES: "routes", BY_NAME: "a map of routes"}


def _shown(field: Field) -> str:
    if field.kind == RECORDS:
        return f"`{field.name}` ({', '.join(map(_shown, field.fields))})"
    if field.kind != VALUE:
        return f"`{field.name}` ({_WHAT.get(field.kind, 'a value')})"
    default = field.default
    if isinstance(default, bool) or (isinstance(default, (int, float, str)) and default != ""):
        return f"`{field.name}: {str(default).lower() if isinstance(default, bool) else default}`"
    return f"`{field.name}`"

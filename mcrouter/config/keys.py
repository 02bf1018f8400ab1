"""The keys of a config, once: the reader's lists and the README's tables derive from them."""

from collections.abc import Mapping
from typing import NamedTuple

from .fields import BY_NAME, RECORDS, ROUTE, ROUTES, UNUSED, VALUE, Field, HandleFields

POOL, POOLS, ROUTES_BY_PREFIX, NAMED = "orderedPool", "pools", "routes", "named_handles"
THE_ROUTE, REJOIN, JOURNAL = "route", "onRejoin", "rejoinJournalKeys"
SERVERS, INHERIT, POOL_NAME = "servers", "inherit", "name"


class Key(NamedTuple):
    """One key: what stands behind it, what it is if it is left out, and what it means."""

    name: str
    value: str
    default: str
    meaning: str


TOP = (
    Key(POOL, "a list of hosts", "-", "the hosts, the first one first"),
    Key(POOLS, "a map of pools", "-", "facebook/mcrouter's form, not needed where routes bring their pools"),
    Key(THE_ROUTE, "a route", "-", "the policy"),
    Key(ROUTES_BY_PREFIX, "a list of {aliases, route}, or a map", "-", "a policy for each routing prefix"),
    Key(NAMED, "a list of routes, or a map", "none", "routes that others refer to by name"),
    Key(REJOIN, "ignore, replay or flush", "see there", "what is done about writes that a host has missed"),
    Key(JOURNAL, "a number", "1000000", "keys that are kept for a host that is away"),
)
"""At the top of a config."""

OF_A_POOL = (
    Key(SERVERS, "a list of hosts or routes", "-", "host:port, [v6]:port or unix:/path"),
    Key(INHERIT, "a pool's name", "-", "takes everything from it that is not said here"),
    Key(POOL_NAME, "a text", "-", "its name, where it stands within a route"),
    Key("server_timeout", "ms", "--timeout-ms", "how long a host may take to answer"),
    Key("connect_timeout", "ms", "server_timeout", "how long it may take to accept"),
    Key("port_override", "a port", "-", "for all its hosts"),
    Key("weights", "a list of numbers", "equal", "for the weighted hashes, one a server"),
    Key("keep_routing_prefix", "true or false", "false", "hosts get keys with their routing prefix"),
    Key("protocol", "ascii", "ascii", "memcached's text protocol is what is spoken"),
    Key("security_mech", "plain", "plain", "no TLS to hosts"),
    Key("use_ssl", "off or false", "off", "no TLS to hosts"),
    Key("error_on_empty", "true or false", "true", "an error, not a miss, where it has no servers"),
    Key("tags", "a list of texts", "names", "what the rendezvous hashes go by, one a server"),
)
"""Of a pool."""


def keys_table() -> str:
    """The README's table of keys."""
    rows = [("key", "value", "default", "meaning"), ("---",) * 4]
    rows += [(f"`{key.name}`", key.value, key.default, key.meaning) for key in TOP]
    rows += [(f"`{key.name}` of a pool", key.value, key.default, key.meaning) for key in OF_A_POOL]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def options_table(handles: "Mapping[str, HandleFields]") -> str:
    """The README's table of what handles can be given."""
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

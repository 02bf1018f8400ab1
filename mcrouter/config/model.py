"""The checked model: the content of a config without its syntax. The router is built from it."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from .fields import HandleFields

DEFAULT_PORT = 11211


class HostAddress(NamedTuple):
    """A memcached host: TCP (`host` and `port`) or a unix socket (`path`)."""

    text: str  # as in the config: the name in metrics and logs
    host: str = ""  # a name or an address; IPv6 without brackets
    port: int = 0
    path: str = ""  # not empty: a unix socket


HOST = "host"
"""The type of a RouteSpec that stands for a single host. Its argument `host` is the host's text."""


class RouteSpec(NamedTuple):
    """One route: its type, and a checked value for each field.

    Its children are given by their indices in `Config.routes`. These are all smaller than the route's own index, so
    that no recursion is needed to visit the routes, and many routes can be built in portions.
    """

    type: str
    args: Mapping[str, Any]
    line: int = 0
    column: int = 0


class Timeouts(NamedTuple):
    """The timeouts that the pools give for a host, in ms; 0: the value of the router's flag."""

    reply: int = 0
    connect: int = 0


REJOINS = ("ignore", "replay", "flush")


class Config(NamedTuple):
    """A whole config. `hosts` has each host once, in the order of the text; `route` is the index in `routes` of the
    first route of all requests. `ordered_pool_form`: the config has an `orderedPool`, and its routes behave
    accordingly."""

    hosts: tuple[HostAddress, ...]
    routes: tuple[RouteSpec, ...]
    route: int
    source: str  # the file's name, as errors give it
    ordered_pool_form: bool = True
    timeouts: Mapping[str, Timeouts] = {}  # by a host's text
    on_rejoin: str = ""  # one of REJOINS; empty: depends on the routes
    journal_keys: int = 1_000_000  # number of keys of missed writes that are kept for a host that is down
    warnings: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()  # the paths of the imported files
    text: str = ""  # the text that was read; if it has macros or imports, the result of these as JSON
    digest: str = ""  # MD5 of the text that was read, in hex; empty: that of `text` (config.digest)


class Vocabulary(NamedTuple):
    """The names that a config may use. The caller passes them in, so that this package knows no routes.
    `ordered_pool_form`: the routes of a config with an `orderedPool`; `handles`: those of a config with `pools`."""

    ordered_pool_form: Mapping[str, HandleFields]
    handles: Mapping[str, HandleFields]
    commands: Collection[str]
    ignored: Collection[str] = ()  # commands of facebook/mcrouter that memcached's text protocol does not have

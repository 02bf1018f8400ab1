"""The checked model: what a config says, free of how it was written. The router is built from this."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .fields import HandleFields

DEFAULT_PORT = 11211


@dataclass(frozen=True)
class HostAddress:
    """A memcached host: TCP (`host` and `port`) or a unix socket (`path`)."""

    text: str  # as the config has it: the name in metrics and logs
    host: str = ""  # a name or an address; IPv6 without brackets
    port: int = 0
    path: str = ""  # not empty: a unix socket


HOST = "host"
"""The type of a RouteSpec that is a single host: `host` is its text."""


class RouteSpec(NamedTuple):
    """One handle of the policy: its type, and a checked value for each field. Handles within it are given by their
    indices in `Config.routes`, which are all smaller than its own: no recursion is needed to walk a policy, and a large
    one can be built in portions."""

    type: str
    args: Mapping[str, Any]
    line: int = 0
    column: int = 0


class Timeouts(NamedTuple):
    """What the pools want for a host, in ms; 0: what the router's flag says."""

    reply: int = 0
    connect: int = 0


REJOINS = ("ignore", "replay", "flush")


@dataclass(frozen=True)
class Config:
    """A whole config. `hosts` has each once, in the order in which they are named; `route` is the index of the policy
    in `routes`. `seed`: it has an `orderedPool`, and its handles have the meaning that they have with one."""

    hosts: tuple[HostAddress, ...]
    routes: tuple[RouteSpec, ...]
    route: int
    source: str  # the file's name, as errors give it
    seed: bool = True
    timeouts: Mapping[str, Timeouts] = field(default_factory=dict)  # by a host's text
    on_rejoin: str = ""  # one of REJOINS; empty: as the policy wants it
    journal_keys: int = 1_000_000  # that are kept for a host that is away
    warnings: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()  # the paths of files that it has imported
    text: str = ""  # what was read; as JSON, after macros and imports, where it has any
    digest: str = ""  # MD5 of what was read, in hex


@dataclass(frozen=True)
class Vocabulary:
    """What a config may name. The caller brings it, so that this room knows no routes. `seed` are the handles of a
    config with an `orderedPool`, `handles` those of one with `pools`."""

    seed: Mapping[str, HandleFields]
    handles: Mapping[str, HandleFields]
    commands: Collection[str]
    ignored: Collection[str] = ()  # commands of facebook/mcrouter that memcached's text protocol has not

"""The checked model: what a config says, free of how it was written. The router is built from this."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_PORT = 11211


@dataclass(frozen=True)
class HostAddress:
    """A memcached host: TCP (`host` and `port`) or a unix socket (`path`)."""

    text: str  # as the config has it: the name in metrics and logs
    host: str = ""  # a name or an address; IPv6 without brackets
    port: int = 0
    path: str = ""  # not empty: a unix socket


@dataclass(frozen=True)
class RouteSpec:
    """A route as the config wants it: a known type, and only options that the type allows."""

    type: str
    options: dict[str, Any] = field(default_factory=dict)  # plain values; without `operationPolicies`
    policies: "dict[str, RouteSpec]" = field(default_factory=dict)  # command name -> route
    line: int = 0
    column: int = 0


REJOINS = ("ignore", "replay", "flush")


@dataclass(frozen=True)
class Config:
    """A whole config. The hosts are in pool order."""

    hosts: tuple[HostAddress, ...]
    route: RouteSpec
    source: str  # the file's name, as errors give it
    on_rejoin: str = ""  # one of REJOINS; empty: as the policy wants it
    journal_keys: int = 1_000_000  # that are kept for a host that is away


@dataclass(frozen=True)
class RouteOptions:
    """What a route type can be given."""

    keys: Collection[str] = ()  # names of options, their values of any type
    policies: bool = False  # whether it has `operationPolicies`


@dataclass(frozen=True)
class Vocabulary:
    """What a config may name. The caller brings it, so that this room knows no routes."""

    routes: Mapping[str, RouteOptions]
    commands: Collection[str]

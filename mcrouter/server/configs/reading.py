"""Configs of this router: the names that they may use, how they are read under given settings, what they say."""

import os
import re
from typing import TYPE_CHECKING, Dict, List, Optional

from ...config import Config, Options, Vocabulary, load_file
from ...config import load_config as parse_config
from ...proto.commands import COMMANDS
from ...routes.handles import HANDLES, ORDERED_POOL_HANDLES
from ...settings import Settings
from ...system.deferred import own
from ...system.host_id import host_id

if TYPE_CHECKING:
    from ...routes import build
else:
    build = own("routes.build")

VOCABULARY = Vocabulary(
    ordered_pool_form=ORDERED_POOL_HANDLES,
    handles=HANDLES,
    commands=tuple(command.name for command in COMMANDS),
    ignored=("lease-get", "lease-set", "metaget", "exec", "admin", "flushre"),
)
"""The names that a config may use."""


def load_config(
    text_or_path: "str | bytes | os.PathLike[str]", source: str = "config", settings: Optional[Settings] = None
) -> Config:
    """Returns a config from its text (the YAML subset or JSON) or its file. `source` is the name of a text in errors.

    An os.PathLike is a path; so is a str of one line without braces, which cannot be a config. Raises ConfigError.
    """
    options = reading_options(settings or Settings())
    if isinstance(text_or_path, os.PathLike):
        return load_file(os.fspath(text_or_path), VOCABULARY, options)
    if isinstance(text_or_path, str) and text_or_path.strip() and not re.search(r"[\n{}]", text_or_path):
        return load_file(text_or_path, VOCABULARY, options)
    return parse_config(text_or_path, source, VOCABULARY, options)


def reading_options(settings: Settings) -> Options:
    """Returns the options for reading configs under these settings."""
    _, region, cluster, _ = settings.route_prefix.split("/")
    params = {
        "default-route": settings.route_prefix,
        "default-region": region,
        "default-cluster": cluster,
        "router-name": settings.router_name,
        "service-name": settings.router_name,
        "num-proxies": settings.server_event_loops,
        "hostid": str(host_id()),
        **settings.config_params,
    }
    return Options(settings.route_prefix, params, bool(settings.config_params))


def describe(config: Config) -> str:
    """Returns the hosts, and the route of each command, for --validate-config."""
    lines = [f"{config.source}: {len(config.hosts)} hosts: " + ", ".join(host.text for host in config.hosts)]
    by_route: Dict[str, List[str]] = {}
    specialised = build.Specialised(config)
    for command in COMMANDS:
        route = config.routes[specialised.real(config.route, command)].type
        by_route.setdefault(route, []).append(command.name)
    lines += [f"{route}: {', '.join(commands)}" for route, commands in by_route.items()]
    return "\n".join(lines)

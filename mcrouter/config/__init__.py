"""Turns the text of a config into a checked model. Knows no route and no socket: the caller passes the names that a
config may use as a `Vocabulary`.

    errors.py   ConfigError, and the texts that its messages share
    text.py     bytes -> characters; escapes
    tree.py     nodes with their line and column
    scan.py, flow.py, yaml.py    the YAML subset -> a tree
    json.py     JSON with comments -> a tree
    languages.py    finds out which of the two languages a text is in, by the text, not by the file's name
    preprocess/, imports.py   macros, parameters and imports of a tree
    schema.py   a tree -> the model, with
      policy.py, pool_route.py, prefixes.py    the routes: a tree -> a flat list
      pools.py, hosts.py                       pools and their servers
    leaves.py   limits the number of requests to hosts that one request may become
    fields.py   the fields of a route, and the readers that check them
    model.py    Config, RouteSpec, HostAddress, Vocabulary
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from json import dumps as to_json
from typing import Any, NamedTuple, Union

from .errors import ConfigError
from .hosts import BadHostError, parse_host
from .imports import Imports, read_bytes
from .languages import parse
from .model import Config, HostAddress, RouteSpec, Timeouts, Vocabulary
from .schema import DEFAULT_PREFIX, check
from .tree import Map, Node, dismantle, plain

__all__ = [
    "BadHostError",
    "Config",
    "ConfigError",
    "HostAddress",
    "Options",
    "RouteSpec",
    "Timeouts",
    "Vocabulary",
    "as_json",
    "load_config",
    "load_file",
    "parse",
    "parse_host",
]


class Options(NamedTuple):
    """Options for reading a config. `route_prefix`: the routing prefix of keys without one. `params`: values for the
    `%parameters%` of its texts. `own_params`: whether the operator has set some of these."""

    route_prefix: str = DEFAULT_PREFIX
    params: Mapping[str, Any] = {}
    own_params: bool = False


DEFAULTS = Options()


def load_config(
    text: Union[str, bytes], source_name: str, vocabulary: Vocabulary, options: Options = DEFAULTS
) -> Config:
    """Returns the config in `text`; raises ConfigError, with `source_name` as the file, if the text cannot be used."""
    trees = [parse(text, source_name)]
    imports = Imports(source_name)
    if options.own_params or _is_preprocessed(trees[0]):
        from .preprocess import expand  # costs 15 ms, so only if there is something to expand

        trees.append(expand(trees[0], source_name, options.params, imports.load))
    config = check(trees[-1], source_name, vocabulary, options.route_prefix)
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    read = to_json(plain(trees[-1])) if trees[-1] is not trees[0] else data.decode("utf-8", "surrogatepass")
    dismantle(trees)
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return replace(config, imports=tuple(imports.paths), text=read, digest=digest)


def as_json(text: str) -> str:
    """Returns a config's text as plain JSON with sorted keys; raises ConfigError as `parse` does."""
    return to_json(plain(parse(text, "config")), indent=2, sort_keys=True)


def _is_preprocessed(tree: Node) -> bool:
    """Returns whether the config may use macros, parameters and imports. With an `orderedPool`, where a '%' may be part
    of a host, it may only if it defines macros or constants."""
    keys = {entry.key.value for entry in tree.entries} if isinstance(tree, Map) else set()
    return not keys.isdisjoint(("pools", "macros", "consts"))


def load_file(path: str, vocabulary: Vocabulary, options: Options = DEFAULTS) -> Config:
    """Returns the config in the file at `path`, or on standard input if that is '-'; raises ConfigError as
    `load_config` does."""
    source = "<stdin>" if path == "-" else path
    try:
        data = read_bytes(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = f"cannot read the config ({reason}); name a file that can be read, or - for standard input"
        raise ConfigError(source, 0, 0, message) from None
    return load_config(data, source, vocabulary, options)

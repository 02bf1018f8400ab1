"""Turns the text of a config into a checked model. Knows no route and no socket: the caller passes the names that a
config may use as a `Vocabulary`.

    errors.py   ConfigError, and the texts that its messages share
    syntax/     the two languages, YAML's subset and JSON with comments -> a tree with positions
    languages.py    finds out which of the two languages a text is in, by the text, not by the file's name
    usage.py, preprocess/, imports.py   macros, parameters and imports of a tree
    schema.py, checks.py   a tree -> the model, with
      policy.py, pool_route.py, prefixes.py    the routes: a tree -> a flat list
      pools.py, hosts.py                       pools and their servers
    leaves.py   limits the number of requests to hosts that one request may become
    fields.py   the fields of a route, and the readers that check them
    model.py    Config, RouteSpec, HostAddress, Vocabulary
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Union

from ..system.deferred import before, own, standard
from .errors import ConfigError
from .hosts import BadHostError, parse_host
from .imports import Imports, read_bytes
from .languages import parse
from .model import Config, HostAddress, RouteSpec, Timeouts, Vocabulary
from .schema import DEFAULT_PREFIX, check
from .syntax.tree import dismantle, plain
from .usage import uses_language

if TYPE_CHECKING:
    import hashlib
    import json as standard_json

    from .preprocess import expander
else:
    hashlib, standard_json = standard("hashlib"), standard("json")
    before("hashing", "config.preprocess.builtins.containers", "config.preprocess.builtins.loops",
           "config.preprocess.builtins.numbers", "config.preprocess.builtins.hashes",
           "config.preprocess.builtins.table", "config.preprocess.definitions")  # fmt: skip
    expander = own("config.preprocess.expander")

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
    "digest",
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
    if uses_language(trees[0], options.own_params):
        trees.append(expander.expand(trees[0], source_name, options.params, imports.load))
    config = check(trees[-1], source_name, vocabulary, options.route_prefix)
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    expanded = trees[-1] is not trees[0]
    read = standard_json.dumps(plain(trees[-1])) if expanded else data.decode("utf-8", "surrogatepass")
    own_digest = _md5(data) if expanded else ""  # else it is that of `text`, if anything asks for it
    dismantle(trees)
    return config._replace(imports=tuple(imports.paths), text=read, digest=own_digest)


def digest(config: Config) -> str:
    """Returns the MD5 of the text that was read, in hex; empty if the config was not read from a text."""
    if config.digest or not config.text:
        return config.digest
    return _md5(config.text.encode("utf-8", "surrogatepass"))


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def as_json(text: str) -> str:
    """Returns a config's text as plain JSON with sorted keys; raises ConfigError as `parse` does."""
    return standard_json.dumps(plain(parse(text, "config")), indent=2, sort_keys=True)


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

"""Text -> checked model. Knows no route and no socket: what may be named comes in as a `Vocabulary`.

    errors.py   ConfigError, and the words its messages share
    text.py     bytes -> characters; escapes
    tree.py     nodes that know their line and column
    scan.py, flow.py, yaml.py    the YAML subset -> a tree
    json.py     JSON with comments -> a tree
    schema.py   a tree -> the model, with
      policy.py, pool_route.py, prefixes.py    the policy: a tree of handles -> a flat list of them
      pools.py, hosts.py                       pools and their servers
    fields.py   what a handle can be given, and how that is checked
    model.py    Config, RouteSpec, HostAddress, Vocabulary

YAML or JSON is told by the text, not by the file's name: see `parse`.
"""

import hashlib
import re
import sys
from dataclasses import replace
from json import dumps as to_json
from typing import Union

from . import json, yaml
from .errors import ConfigError
from .hosts import BadHostError, parse_host
from .model import Config, HostAddress, RouteSpec, Timeouts, Vocabulary
from .schema import check
from .text import to_text
from .tree import Node, dismantle, plain

__all__ = [
    "BadHostError",
    "Config",
    "ConfigError",
    "HostAddress",
    "RouteSpec",
    "Timeouts",
    "Vocabulary",
    "as_json",
    "load_config",
    "load_file",
    "parse",
    "parse_host",
]

_COMMENT = re.compile(r"[ \t\n]*(?://|/\*)")
_COMMENT_INSIDE = re.compile(r"[ \t\n,{\[](?://|/\*)")  # not that of a URL
_BRACKET = re.compile(r"[ \t\n]*[{\[]")
_JSON_PUNCTUATION = frozenset('{}[],:"-0123456789/')


def load_config(text: Union[str, bytes], source_name: str, vocabulary: Vocabulary) -> Config:
    """The config in `text`; ConfigError, naming `source_name`, where it cannot be used."""
    trees = [parse(text, source_name)]
    config = check(trees[0], source_name, vocabulary)
    dismantle(trees)
    return replace(config, text=text.decode() if isinstance(text, bytes) else text, digest=_digest(text))


def _digest(text: Union[str, bytes]) -> str:
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def load_file(path: str, vocabulary: Vocabulary) -> Config:
    """The config in the file at `path`, or on standard input if that is '-'; ConfigError as of `load_config`."""
    source = "<stdin>" if path == "-" else path
    data: Union[str, bytes]
    try:
        if path == "-":
            data = getattr(sys.stdin, "buffer", sys.stdin).read()
        else:
            with open(path, "rb") as file:
                data = file.read()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = f"cannot read the config ({reason}); name a file that can be read, or - for standard input"
        raise ConfigError(source, 0, 0, message) from None
    return load_config(data, source, vocabulary)


def as_json(text: str) -> str:
    """A config's text as plain JSON, its keys sorted; ConfigError as of `parse`."""
    return to_json(plain(parse(text, "config")), indent=2, sort_keys=True)


def parse(data: Union[str, bytes], source: str) -> Node:
    """The tree of a YAML or JSON text.

    A text that begins with a JSON comment is JSON; one that begins with a bracket is JSON if it can be read so, else
    YAML. If it is neither, the error is that of the language it was meant in.
    """
    text = to_text(data, source)
    if _COMMENT.match(text):
        return json.parse(text, source)
    if not _BRACKET.match(text):
        return yaml.parse(text, source)
    try:
        return json.parse(text, source)
    except ConfigError as error:
        json_error = error
    try:
        return yaml.parse(text, source)
    except ConfigError as error:
        raise _sensible(text, json_error, error) from None


def _sensible(text: str, json_error: ConfigError, yaml_error: ConfigError) -> ConfigError:
    """Of two languages' errors, the one of the language that the author wrote.

    YAML, if JSON stumbles over what it has not, as a word without quotes, and no JSON comment came before that.
    """
    lines = text.split("\n", json_error.line)[: json_error.line]
    char = lines[-1][json_error.column - 1 : json_error.column]
    before = "\n".join([*lines[:-1], lines[-1][: json_error.column - 1]])
    is_json = not char or char in _JSON_PUNCTUATION or _COMMENT_INSIDE.search(before)
    return json_error if is_json else yaml_error

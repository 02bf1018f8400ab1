"""Finds out which language a config is in, by its text, not by the file's name."""

import re
from typing import TYPE_CHECKING, Union

from ..system.deferred import own
from .errors import ConfigError
from .syntax.text import to_text
from .syntax.tree import Node

if TYPE_CHECKING:
    from .syntax import json, yaml
else:
    json, yaml = own("config.syntax.json"), own("config.syntax.yaml")

_COMMENT = re.compile(r"[ \t\n]*(?://|/\*)")
_COMMENT_INSIDE = re.compile(r"[ \t\n,{\[](?://|/\*)")  # not the '//' of a URL
_BRACKET = re.compile(r"[ \t\n]*[{\[]")
_JSON_PUNCTUATION = frozenset('{}[],:"-0123456789/')


def parse(data: Union[str, bytes], source: str) -> Node:
    """Returns the tree of a YAML or JSON text.

    A text that begins with a JSON comment is JSON. A text that begins with a bracket is JSON if it can be read as such,
    else YAML. If it is neither, the error is that of the language that was probably meant.
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
    """Returns the error of the language that the author probably meant.

    That is YAML if JSON fails at something that only YAML has, as a word without quotes, and no JSON comment is before.
    """
    lines = text.split("\n", json_error.line)[: json_error.line]
    char = lines[-1][json_error.column - 1 : json_error.column]
    before = "\n".join([*lines[:-1], lines[-1][: json_error.column - 1]])
    is_json = not char or char in _JSON_PUNCTUATION or _COMMENT_INSIDE.search(before)
    return json_error if is_json else yaml_error

"""What the tests of the preprocessor share: a config of texts in, plain values or the error's text out."""

from mcrouter.config import ConfigError, parse
from mcrouter.config.preprocess.expander import expand
from mcrouter.config.syntax.tree import Node, from_file, plain

PARAMS = {"default-region": "east", "num-proxies": 4, "hosts": ["a:1", "b:1"], "options": {"deep": [None, 1.5]}, "on": True}

FILES = {
    "cities": '["New York", "Washington"]',
    "uses-names": '{"region": "%default-region%", "twice": "@twice(x)"}',
    "definitions": '{"twice": {"type": "macroDef", "params": ["x"], "result": "%x%%x%"}}',
    "constants": '{"a": {"type": "constDef", "result": "%b%1"}, "b": "2", "c": "100\\\\%"}',
    "wrong": '{\n  "a": "%none%"\n}',
    "broken": "{",
    "circle": '{"a": "@import(circle)"}',
    "far": '["@import(cities)"]',
}


def load(path: str, at: Node) -> Node:
    """One of FILES."""
    if path not in FILES:
        raise ConfigError(at.source or "f", at.line, at.column, f"there is no file {path!r}; name one that is there")
    return from_file(parse(FILES[path], path), path)


def tree_of(text: str) -> Node:
    """The config's tree, expanded."""
    return expand(parse(text, "f"), "f", PARAMS, load)


def value_of(text: str):
    """The config expanded, as plain values."""
    return plain(tree_of(text))


def error_of(text: str) -> str:
    """The error's text; a failure if there is none."""
    try:
        made = value_of(text)
    except ConfigError as error:
        assert error.__cause__ is None
        return str(error)
    raise AssertionError(f"no error, but {made!r}")

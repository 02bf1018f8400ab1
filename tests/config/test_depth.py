"""How deep anything may be nested: exactly MAX_DEPTH levels, whatever stood beside it before."""

import json

import pytest

from mcrouter.config import ConfigError
from mcrouter.config.syntax import json as json_syntax
from mcrouter.config.syntax import yaml as yaml_syntax
from mcrouter.config.syntax.tree import MAX_DEPTH
from mcrouter.server.configs.reading import load_config

from .preprocess.expanding import value_of

BESIDE = 60  # collections that were opened and closed before


def json_lists(levels):
    return "[" + "[1], " * BESIDE + "[" * (levels - 1) + "1" + "]" * levels


def json_maps(levels):
    beside = "".join(f'"b{number}": {{}}, ' for number in range(BESIDE))
    return "{" + beside + '"a": {' * (levels - 1) + '"z": 1' + "}" * levels


def yaml_flow(levels):
    return "- [x, y]\n" * BESIDE + "- " + "[" * (levels - 1) + "x" + "]" * (levels - 1)


def yaml_flow_maps(levels):
    return "- {x: y}\n" * BESIDE + "- " + "{a: " * (levels - 1) + "x" + "}" * (levels - 1)


def yaml_lists(levels):
    return "- - x\n" * BESIDE + "- " * levels + "x"


def yaml_maps(levels):
    beside = "".join(f"b{number}:\n  c: 1\n" for number in range(BESIDE))
    return beside + "\n".join(" " * level + "a:" for level in range(levels))


@pytest.mark.parametrize(("parse", "text"), [
    (json_syntax.parse, json_lists), (json_syntax.parse, json_maps), (yaml_syntax.parse, json_lists),
    (yaml_syntax.parse, json_maps), (yaml_syntax.parse, yaml_flow), (yaml_syntax.parse, yaml_flow_maps),
    (yaml_syntax.parse, yaml_lists), (yaml_syntax.parse, yaml_maps),
], ids=lambda part: f"{part.__module__.split('.')[-1]} {part.__name__}")  # fmt: skip
def test_a_text_may_be_so_deep_and_no_deeper(parse, text):
    parse(text(MAX_DEPTH), "f")
    with pytest.raises(ConfigError, match="lists and maps are nested deeper than 100"):
        parse(text(MAX_DEPTH + 1), "f")


def made(levels):
    """Constants, a different one for each place beside, and one within so many lists; the constants have four levels, the
    map around all has one."""
    consts = {f"c{number}": {"type": "constDef", "result": [[[[1]]]]} for number in range(BESIDE)}
    deep = json.loads("[" * (levels - 5) + '"%c0%"' + "]" * (levels - 5))
    return json.dumps({"consts": consts, "beside": [f"%{name}%" for name in consts], "made": deep})


def test_what_is_made_may_be_so_deep_and_no_deeper():
    value_of(made(MAX_DEPTH))
    with pytest.raises(ConfigError, match="lists and maps are nested deeper than 100"):
        value_of(made(MAX_DEPTH + 1))


def calls(levels):
    """Calls within calls."""
    made = "@int(1)"
    for _ in range(levels - 1):
        made = f"@add({made},@int(1))"
    return json.dumps({"beside": ["@add(@int(1),@int(2))"] * BESIDE, "made": made})


def test_calls_may_be_nested_so_deep_and_no_deeper():
    assert value_of(calls(MAX_DEPTH))["made"] == MAX_DEPTH
    with pytest.raises(ConfigError, match="calls are nested deeper than 100"):
        value_of(calls(MAX_DEPTH + 1))


def routes(levels, beside):
    """Routes within routes; `beside` are other ones, read before."""
    route = "NullRoute"
    for _ in range(levels - 2):
        route = f"AllSyncRoute|{route}"
    return json.dumps({"pools": {"A": {"servers": ["a:1"]}},
                       "route": {"type": "AllFastestRoute", "children": [*[beside] * BESIDE, route]}})  # fmt: skip


@pytest.mark.parametrize("beside", ["AllSyncRoute|PoolRoute|A", {"type": "AllSyncRoute", "children": ["NullRoute"]}], ids=str)
def test_routes_may_be_nested_so_deep_and_no_deeper(beside):
    load_config(routes(MAX_DEPTH, beside), "f")
    with pytest.raises(ConfigError, match="routes are nested deeper than 100"):
        load_config(routes(MAX_DEPTH + 1, beside), "f")

"""Configs that are nearly right: they are refused with a ConfigError, or else every request gets one answer."""

import copy
import json
import os

from hypothesis import given, settings
from hypothesis import strategies as st

from mcrouter.config import ConfigError, Options, load_config, parse
from mcrouter.config.syntax.tree import plain
from mcrouter.server.configs.reading import VOCABULARY
from tests.config.wiki_configs import CONFIGS, FOLDER

from .samples import DATA
from .world import World

WHOLE = [(plain(parse((FOLDER / f"{name}.json").read_bytes(), name)), prefix) for name, (prefix, _) in CONFIGS.items()]
KEYS = [
    "pools", "route", "routes", "named_handles", "orderedPool", "type", "name", "pool", "children", "hash", "weights",
    "rates", "shadows", "max_outstanding", "shard_splits", "slow_warmup", "asynclog", "servers", "inherit", "server_timeout", "get", "set",
    "keep_routing_prefix", "default_policy", "operation_policies", "policies", "wildcard", "aliases", "target", "salt",
    "hash_func", "tags", "error_on_empty", "response",
]  # fmt: skip
VALUES = [
    None, True, False, 0, 1, -1, 1.5, "", "x", "|", "Pool|", "Pool|A", "PoolRoute|A", "A", "NullRoute", "ErrorRoute|x",
    "AllSyncRoute|Pool|A", "HashRoute|", "/././", "/a/b/", "a:1", "[::1]:1", [], {}, ["a:1"], ["a:1", "b:1"], [0, 1], [1, 0],
    [[["NullRoute"]]], {"type": "NullRoute"}, {"type": "PoolRoute", "pool": "A"}, {"name": "x", "type": "NullRoute"},
    {"type": "Pool"}, {"type": "Pool", "name": "A"}, {"sets_rate": 1}, {"hash_func": "Crc32"}, {"1": 2},
]  # fmt: skip
REQUESTS = [*DATA.values(), b"get a b c\r\n", b"get /a/b/c a\r\n", b"mg azc= b k O1\r\n", b"flush_all\r\n", b"version\r\n"]


def places(value, container=None, key=None):
    """Each value of a tree, with the container that it is in and its key there."""
    if container is not None:
        yield container, key
    for inner, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(one, value, inner)


@st.composite
def configs(draw):
    """An example with one or two things changed, left out or added."""
    config, prefix = copy.deepcopy(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(1, 2))):
        found = list(places(config))
        if not found:
            break
        container, key = draw(st.sampled_from(found))
        new = copy.deepcopy(draw(st.sampled_from(VALUES)))
        change = draw(st.sampled_from(("change", "change", "leave out", "add")))
        if change == "change":
            container[key] = new
        elif change == "leave out":
            del container[key]
        elif isinstance(container, dict):
            container[draw(st.sampled_from(KEYS))] = new
        else:
            container.append(new)
    return json.dumps(config), prefix


@settings(max_examples=int(os.environ.get("CASES", "300")), deadline=None, database=None, derandomize=True)
@given(configs())
def test_configs(drawn):
    text, prefix = drawn
    try:
        config = load_config(text, "f", VOCABULARY, Options(route_prefix=prefix))
    except ConfigError:
        return
    world = World(config, flush_all=True)
    for data in REQUESTS:
        assert world.ask(data).got is not None

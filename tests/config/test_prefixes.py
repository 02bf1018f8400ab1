"""Routing prefixes: what is one, and which route serves which."""

import json

import pytest

from mcrouter.config import parse
from mcrouter.config.prefixes import wrong_prefix
from mcrouter.config.schema import check
from mcrouter.server.configs.reading import VOCABULARY, load_config

from .sketch import sketch

POOLS = {"A": {"servers": ["a:1"]}, "B": {"servers": ["b:1"]}}
RIGHT = ["/././", "/a/b/", "/region-1/cluster_2/", "/A/a/", "/é/b/", "//b/", "/a//", "/" + "a" * 196 + "/b/"]
WRONG = ["", "/", "//", "a/b/", "/a/b", "/a/", "/a/b/c/", "/a /b/", "/a/\n/", "/a/b/\n", "/" + "a" * 197 + "/b/"]


@pytest.mark.parametrize("text", RIGHT)
def test_right(text):
    assert wrong_prefix(text) is None


@pytest.mark.parametrize("text", WRONG)
def test_wrong(text):
    shown = text if len(text) <= 60 else text[:57] + "..."
    assert wrong_prefix(text) == f"{shown!r} is not a routing prefix; write it as /region/cluster/"


def load(routes, default="/././"):
    """A config with these routes, and what --route-prefix says."""
    return check(parse(json.dumps({"pools": POOLS, "routes": routes}), "f"), "f", VOCABULARY, default)


BOTH = [{"aliases": ["/a/a/", "/A/A/"], "route": "PoolRoute|A"}, {"aliases": ["/b/b/"], "route": "PoolRoute|B"}]
FORMS = [
    (BOTH, "{/a/a/: HashRoute(a:1), /A/A/: HashRoute(a:1), /b/b/: HashRoute(b:1)}"),
    ({"/a/a/": "PoolRoute|A", "/b/b/": "PoolRoute|B"}, "{/a/a/: HashRoute(a:1), /b/b/: HashRoute(b:1)}"),
    ([*BOTH, {"aliases": ["/b/b/", "/c/c/"], "route": "PoolRoute|A"}],
     "{/a/a/: HashRoute(a:1), /A/A/: HashRoute(a:1), /b/b/: HashRoute(b:1), /c/c/: HashRoute(a:1)}"),
]  # fmt: skip


@pytest.mark.parametrize(("routes", "expected"), FORMS)
def test_forms(routes, expected):
    """A list or a map; of several routes with one prefix the first counts."""
    assert sketch(load(routes, "/a/a/")) == f"RootRoute(routes={expected}, default=/a/a/)"


def test_an_alias_is_the_same_route():
    config = load(BOTH, "/b/b/")
    routes = config.routes[config.route].args["routes"]
    assert routes["/a/a/"] == routes["/A/A/"] != routes["/b/b/"]


def test_route_is_that_of_the_default_prefix():
    config = load_config(json.dumps({"pools": POOLS, "route": "PoolRoute|A"}))
    assert config.routes[config.route].args == {"routes": {"/././": config.route - 1}, "default": "/././"}


MISSING = [
    ("/././", "add it to the aliases of a route, or name another prefix with --route-prefix: /a/a/, /A/A/, /b/b/"),
    ("/a/b/", "add it to the aliases of a route, or name another prefix with --route-prefix: /a/a/, /A/A/, /b/b/"),
]


@pytest.mark.parametrize(("default", "mend"), MISSING)
def test_the_default_must_be_there(default, mend):
    with pytest.raises(ValueError, match="no route for the default prefix") as caught:
        load(BOTH, default)
    assert caught.value.message == f"no route for the default prefix {default!r}; {mend}"


def test_with_an_ordered_pool_prefixes_are_there_if_routes_says_so():
    seed = {"orderedPool": ["a:1"], "routes": {"/././": "DefaultRoute", "/b/b/": "LocalRoute"}}
    config = load_config(json.dumps(seed))
    assert sketch(config) == "RootRoute(routes={/././: DefaultRoute(a:1), /b/b/: LocalRoute()}, default=/././)"

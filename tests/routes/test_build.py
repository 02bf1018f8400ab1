"""From a config's route to one route for each command, and which commands may share a run."""

from types import SimpleNamespace

import pytest

from mcrouter.proto.commands import BY_NAME, COMMANDS
from mcrouter.proto.requests import Plan
from mcrouter.routes.base import Pool
from mcrouter.routes.build import LOCAL, NAMES, OVER_POOL, SELECTOR, build, choice
from mcrouter.routes.local import LocalRoute

LOCAL_ROUTE = LocalRoute("1", list)


def spec(name, **policies):
    """A route as the config's model has it; policies by command name, each a route's name or another spec."""
    inner = {command: policy if isinstance(policy, SimpleNamespace) else spec(policy) for command, policy in policies.items()}
    return SimpleNamespace(type=name, policies=inner)


SAMPLE = spec(SELECTOR, get="MissFailoverRoute", set="AllFastestRoute", delete="AllFastestRoute", incr="AllFastestRoute",
              version="LocalRoute")  # fmt: skip
CHOICES = [
    ("get", "MissFailoverRoute"), ("gets", "DefaultRoute"), ("mg", "MissFailoverRoute"), ("me", "MissFailoverRoute"),
    ("set", "AllFastestRoute"), ("ms", "AllFastestRoute"), ("md", "AllFastestRoute"), ("ma", "AllFastestRoute"),
    ("version", "LocalRoute"), ("touch", "DefaultRoute"), ("stats", "DefaultRoute"), ("mn", "DefaultRoute"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "expected"), CHOICES)
def test_choice(command, expected):
    """Its own, else that of the command it is like, else the default."""
    assert choice(SAMPLE, BY_NAME[command]) == expected


def test_its_own_policy_comes_first():
    route = spec(SELECTOR, get="MissFailoverRoute", mg="DefaultRoute")
    assert choice(route, BY_NAME["mg"]) == "DefaultRoute"


def test_selectors_in_selectors():
    route = spec(SELECTOR, get=spec(SELECTOR, get="MissFailoverRoute", mg="AllFastestRoute"))
    chosen = [choice(route, BY_NAME[name]) for name in ("get", "mg", "me", "set")]
    assert chosen == ["MissFailoverRoute", "AllFastestRoute", "MissFailoverRoute", "DefaultRoute"]


@pytest.mark.parametrize("name", [*OVER_POOL, LOCAL])
def test_one_route_for_all(name):
    ways, _ = build(spec(name), Pool([]), LOCAL_ROUTE)
    assert len(ways) == len(COMMANDS) and len(set(map(id, ways))) == 1
    assert type(ways[0]).__name__ == name


def test_the_ways_are_in_the_tables_order():
    ways, _ = build(SAMPLE, Pool([]), LOCAL_ROUTE)
    assert [type(way).__name__ for way in ways] == [choice(SAMPLE, command) for command in COMMANDS]
    assert ways[BY_NAME["set"].number] is ways[BY_NAME["delete"].number]
    assert ways[BY_NAME["version"].number] is LOCAL_ROUTE


PLANS = [
    (spec("DefaultRoute"), Plan(True, True, True)),
    (spec(LOCAL), Plan(False, False, False)),
    (SAMPLE, Plan(True, True, False)),
    (spec(SELECTOR, get="AllFastestRoute", set="AllFastestRoute"), Plan(True, True, True)),
    (spec(SELECTOR, get=LOCAL), Plan(False, True, False)),
    (spec(SELECTOR, set=LOCAL), Plan(True, False, False)),
    (spec(SELECTOR, get=LOCAL, set=LOCAL), Plan(False, False, False)),
    (spec(SELECTOR), Plan(True, True, True)),
]


@pytest.mark.parametrize(("route", "plan"), PLANS)
def test_plan(route, plan):
    assert build(route, Pool([]), LOCAL_ROUTE)[1] == plan


def test_names():
    """Every route a config may name can be built, and none twice."""
    assert len(set(NAMES)) == len(NAMES) == len(OVER_POOL) + 2
    for name in NAMES:
        build(spec(name), Pool([]), LOCAL_ROUTE)

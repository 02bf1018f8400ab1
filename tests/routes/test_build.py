"""From a config to one route for each command, and which commands may share a run."""

import json

import pytest

from mcrouter.config.model import Config, RouteSpec
from mcrouter.proto import outcomes as o
from mcrouter.proto.client.parser import RunPlan
from mcrouter.proto.commands import BY_NAME, COMMANDS
from mcrouter.routes.build import Specialised, build, building
from mcrouter.routes.framework.context import RouteContext
from mcrouter.routes.handles import HANDLES, ORDERED_POOL_HANDLES
from mcrouter.routes.local import LocalRoute
from mcrouter.server.configs.reading import load_config

from .script import Host
from .world import World

LOCAL_ROUTE = LocalRoute("1", lambda words: [])
SELECTOR, LOCAL = "OperationSelectorRoute", "LocalRoute"


def seed(route, hosts=("a", "b")) -> Config:
    """A config of the seed's form."""
    return load_config(json.dumps({"orderedPool": list(hosts), "route": route}))


def spec(**policies):
    """A selector; policies by command name."""
    return {"type": SELECTOR, "operationPolicies": policies}


def built(config):
    """What it is built to, over scripted hosts."""
    return build(config, RouteContext({host.text: Host(host.text) for host in config.hosts}, LOCAL_ROUTE, ordered_pool_form=config.ordered_pool_form))


SAMPLE = spec(get="MissFailoverRoute", set="AllFastestRoute", delete="AllFastestRoute", incr="AllFastestRoute",
              version="LocalRoute")  # fmt: skip
CHOICES = [
    ("get", "MissFailoverRoute"), ("gets", "DefaultRoute"), ("mg", "MissFailoverRoute"), ("me", "MissFailoverRoute"),
    ("set", "AllFastestRoute"), ("ms", "AllFastestRoute"), ("md", "AllFastestRoute"), ("ma", "AllFastestRoute"),
    ("version", "LocalRoute"), ("touch", "DefaultRoute"), ("stats", "DefaultRoute"), ("mn", "DefaultRoute"),
]  # fmt: skip


def choice(config, command):
    """The type of the route that serves a command."""
    return config.routes[Specialised(config).real(config.route, BY_NAME[command])].type


@pytest.mark.parametrize(("command", "expected"), CHOICES)
def test_choice(command, expected):
    """Its own, else that of the command it is like, else the default."""
    assert choice(seed(SAMPLE), command) == expected


def test_its_own_policy_comes_first():
    assert choice(seed(spec(get="MissFailoverRoute", mg="DefaultRoute")), "mg") == "DefaultRoute"


def test_selectors_in_selectors():
    config = seed(spec(get=spec(get="MissFailoverRoute", mg="AllFastestRoute")))
    chosen = [choice(config, name) for name in ("get", "mg", "me", "set")]
    assert chosen == ["MissFailoverRoute", "AllFastestRoute", "MissFailoverRoute", "DefaultRoute"]


@pytest.mark.parametrize("name", ["DefaultRoute", "AllFastestRoute", "MissFailoverRoute", LOCAL])
def test_one_route_for_all(name):
    routes_by_command = built(seed(name)).routes_by_command
    keyed = [way for way, command in zip(routes_by_command, COMMANDS) if command.kind != "admin"]
    assert len(routes_by_command) == len(COMMANDS) and len(set(map(id, keyed))) == 1
    assert type(routes_by_command[0]).__name__ == name


def test_the_ways_are_in_the_tables_order():
    routes_by_command = built(seed(SAMPLE)).routes_by_command
    assert [type(way).__name__ for way in routes_by_command] == [choice(seed(SAMPLE), command.name) for command in COMMANDS]
    assert routes_by_command[BY_NAME["set"].number] is routes_by_command[BY_NAME["delete"].number]
    assert routes_by_command[BY_NAME["version"].number] is LOCAL_ROUTE


PLANS = [
    ("DefaultRoute", RunPlan(True, True, True)),
    (LOCAL, RunPlan(False, False, False)),
    (SAMPLE, RunPlan(True, True, False)),
    (spec(get="AllFastestRoute", set="AllFastestRoute"), RunPlan(True, True, True)),
    (spec(get=LOCAL), RunPlan(False, True, False)),
    (spec(set=LOCAL), RunPlan(True, False, False)),
    (spec(get=LOCAL, set=LOCAL), RunPlan(False, False, False)),
    (spec(), RunPlan(True, True, True)),
    ("HashRoute", RunPlan(False, False, False)),
    ("AllSyncRoute", RunPlan(True, True, True)),
]


@pytest.mark.parametrize(("route", "plan"), PLANS)
def test_plan(route, plan):
    assert built(seed(route)).plan == plan


def test_names():
    """Handles stand in their tables under their names."""
    for table in (ORDERED_POOL_HANDLES, HANDLES):
        assert all(name == handle.name for name, handle in table.items())


POOLS = {"pools": {"A": {"servers": ["a", "b", "c"]}, "B": {"servers": ["d", "e"]}}}
COSTS = [
    # route, requests to hosts that a set, a get and a delete make at the most
    ("PoolRoute|A", 1, 1, 1),
    ("AllSyncRoute|Pool|A", 3, 3, 3),
    ({"type": "FailoverRoute", "children": ["AllSyncRoute|Pool|A", "PoolRoute|B"]}, 4, 4, 4),
    ({"type": "HashRoute", "children": ["AllSyncRoute|Pool|A", "AllFastestRoute|Pool|B"]}, 3, 3, 3),
    ({**spec(set="AllSyncRoute|Pool|A", get="MissFailoverRoute|Pool|B"), "default_policy": "PoolRoute|A"}, 3, 2, 1),
    ({"type": "KeySplitRoute", "destination": "AllSyncRoute|Pool|B", "replicas": 5, "all_sync": True}, 10, 10, 10),
    ("NullRoute", 1, 1, 1),
]


@pytest.mark.parametrize(("route", "of_set", "of_get", "of_delete"), COSTS)
def test_the_cost_of_a_route_is_the_requests_that_it_makes_of_one(route, of_set, of_get, of_delete):
    routes_by_command = built(load_config(json.dumps({**POOLS, "route": route}))).routes_by_command
    costs = {command.name: way.cost for command, way in zip(COMMANDS, routes_by_command)}
    assert (costs["set"], costs["get"], costs["delete"]) == (of_set, of_get, of_delete)
    assert costs["version"] == costs["flush_all"] == 1


STEPS = 37  # of a config of one portion: 1 to prepare, and 3 for each route by command


def steps_of(routes):
    """In how many steps a config of so many routes is built."""
    specs = [*[RouteSpec("NullRoute", {})] * (routes - 1), RouteSpec("AllSyncRoute", {"children": tuple(range(routes - 1))})]
    config = load_config(json.dumps({**POOLS, "route": "NullRoute"}))._replace(routes=tuple(specs), route=routes - 1)
    context = RouteContext({host.text: Host(host.text) for host in config.hosts}, LOCAL_ROUTE, ordered_pool_form=False)
    *steps, built = building(config, context)
    assert built is not None and set(steps) == {None}
    return len(steps)


@pytest.mark.parametrize(("routes", "portions"), [(255, 1), (257, 2), (512, 2), (513, 3)])
def test_a_large_config_is_built_in_portions_of_256_routes(routes, portions):
    """So the clients of the config that serves need not wait long."""
    assert steps_of(routes) == portions * steps_of(256) == portions * STEPS


def test_the_cost_of_handles_that_use_one_another():
    handles = [{"type": "AllSyncRoute", "name": "h0", "children": ["PoolRoute|A"] * 2}]
    handles += [{"type": "AllSyncRoute", "name": f"h{n}", "children": [f"h{n - 1}"] * 2} for n in range(1, 8)]
    routes_by_command = built(load_config(json.dumps({**POOLS, "named_handles": handles, "route": "h7"}))).routes_by_command
    assert routes_by_command[BY_NAME["set"].number].cost == 256


def test_where_only_gets_are_served_all_else_is_refused():
    world = World({"pools": {"A": {"servers": ["a:1"]}}, "route": "PoolRoute|A"}, only_gets=True)
    assert world.answer(b"get k\r\n") == (b"END\r\n", o.MISS)
    for data in (b"set k 0 0 1\r\nx\r\n", b"delete k\r\n", b"incr k 1\r\n"):
        reply, _outcome = world.answer(data)
        assert reply == b"SERVER_ERROR mcrouter: only gets are served (--allow-only-gets)\r\n"
    assert world.asked() == {"a:1": [b"get k\r\n"]}

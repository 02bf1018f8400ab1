"""Dry runs and the routes that serve agree: who is asked, for what, in which order, and what the answer is."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcrouter.explain.answers import FAILS, MISSES, TIMES_OUT, UNHEALTHY, WELL
from mcrouter.explain.asking import requests as asking
from mcrouter.explain.dry import DryRun
from mcrouter.routes.handles import HANDLES, ORDERED_POOL_HANDLES

from .cluster import TIMEOUT_MS, Cluster
from .trees import BY_CHANCE, HOSTS, NOT_NAMED, configs, drawable, lacks, requests

MANY = settings(max_examples=int(os.environ.get("CASES", "1000")), suppress_health_check=list(HealthCheck))
FARES = st.tuples(*[st.sampled_from([WELL, MISSES, FAILS, TIMES_OUT, UNHEALTHY]) for _ in HOSTS]).map(
    lambda host_condition: dict(zip(HOSTS, host_condition))
)


@MANY
@given(configs(), requests, FARES)
def test_a_dry_run_does_what_the_routes_do(config, words, host_condition):
    world = Cluster(config, host_condition)
    (data,) = asking(words)
    got, asked = world.becomes_of(data)
    result = DryRun(world.config, host_condition, TIMEOUT_MS, wall=1_700_000_000.0).ask(data)
    assert (result.reply, result.outcomes) == got
    assert [tuple(one) for one in result.asked] == asked


@pytest.mark.parametrize("table", [HANDLES, ORDERED_POOL_HANDLES])
def test_all_handles_are_drawn(table):
    """Who adds one whose fields cannot be made up adds an example to trees.py."""
    assert {name: lacks(handle) for name, handle in table.items() if lacks(handle)} == {}
    assert set(drawable(table)) == set(table) - {*BY_CHANCE, *NOT_NAMED}

"""The README's Policy cookbook over real connections: each cell of its tables, with a router and hosts in this process.

tests/test_cookbook.py has who is asked; here is what the client gets when hosts are really gone or mute.
"""

import contextlib
import re
from typing import Dict, Iterator

import pytest

from mcrouter import Router, Settings
from mcrouter.explain.asking import requests
from mcrouter.testing import DemoHost
from tests.support.kitchen import WAYS, Kitchen, answered, loaded
from tests.support.processes import until
from tests.support.recipes import Recipe, Row, host_condition
from tests.support.wire import Wire
from tests.test_cookbook import CELLS, RECIPES

SHORT, LONG = 200, 10_000  # timeouts in ms: where a host hangs, and where none does
OVER = "121 min after start_time"  # as it is by the clock of today


def is_now(when: str) -> bool:
    """Whether that can be made so without moving the clock."""
    return "start_time" not in when or when == OVER


def at_their_addresses(recipe: Recipe, hosts: Dict[str, DemoHost]) -> Recipe:
    """The recipe with hosts that there are."""
    config = recipe.config
    for name, host in hosts.items():
        config = re.sub(rf"\b{name}\b", f'"{host.address}"', config)
    return recipe._replace(config=config)


def key_for(recipe: Recipe, row: Row, hosts: Dict[str, DemoHost], well: str) -> str:
    """The key of the command; or, where addresses take part in the placement, one that lies as that did."""
    own = row.command.split()[1]
    for key in [own, *(f"{number}{own}" for number in range(1000))]:
        does = Kitchen(recipe, {}, 121).does(row.command.replace(own, key))
        for name, host in hosts.items():
            does = does.replace(host.address, name)
        if does == well.replace(own, key):
            return key
    raise AssertionError("no such key")


@contextlib.contextmanager
def hosts_of(recipe: Recipe) -> Iterator[Dict[str, DemoHost]]:
    """One for each name in the config."""
    with contextlib.ExitStack() as stack:
        yield {host.text: stack.enter_context(DemoHost()) for host in loaded(recipe)[1].hosts}


def fill(hosts: Dict[str, DemoHost], key: str, how: Dict[str, str], number: bool) -> None:
    """Each host has its name as the value, or a number; one that is to miss has nothing."""
    for name, host in hosts.items():
        if how.get(name) != WAYS["misses"]:
            value = b"0" if number else name.encode()
            with Wire(host.port) as wire:
                assert wire.ask(b"set %b 0 0 %d\r\n%b\r\n" % (key.encode(), len(value), value)) == b"STORED\r\n"


def harm(host: DemoHost, way: str) -> None:
    """Makes a host fare so."""
    if way == WAYS["is dead"]:
        host.stop()
    host.faults.mute = way == WAYS["hangs"]
    host.faults.garbage = b"SERVER_ERROR out of memory\r\n" if way == WAYS["answers an error"] else b""


@pytest.mark.parametrize(("recipe", "row"), [cell for cell in CELLS if is_now(cell[1].when)],
                         ids=lambda one: one.title if isinstance(one, Recipe) else f"{one.when}: {one.command}")  # fmt: skip
def test_what_the_client_gets(recipe: Recipe, row: Row, tmp_path) -> None:
    (well,) = [one.happens for one in recipe.rows if one.command == row.command and one.when in ("all are well", OVER)]
    with hosts_of(recipe) as hosts:
        how, _ = host_condition(row.when, list(hosts), WAYS)
        there = at_their_addresses(recipe, hosts)
        key = key_for(there, row, hosts, well)
        verb = row.command.split()[0]
        fill(hosts, key.rpartition("/")[2], how, verb == "incr")
        said, config = loaded(there)
        settings = Settings(
            listen="tcp://127.0.0.1:0",
            metrics_listen_addr="off",
            timeout_ms=SHORT if WAYS["hangs"] in how.values() else LONG,
            route_prefix=said.route_prefix,
            async_dir=str(tmp_path) if said.async_dir else "",
        )
        with Router(config, settings) as router, Wire(int(router.addresses[0].rpartition(":")[2])) as wire:
            for host, way in how.items():
                harm(hosts[host], way)
            reply = wire.send(*requests([verb, key]), b"quit\r\n").read_to_close()
    assert answered(reply) == re.split(", after|; ", row.happens.split(" → ")[1])[0]


@pytest.mark.parametrize("recipe", [one for one in RECIPES.values() if any("noted for" in row.happens for row in one.rows)],
                         ids=lambda recipe: recipe.title)  # fmt: skip
def test_a_write_that_a_host_hangs_on_is_noted_for_it(recipe: Recipe, router) -> None:
    """As the cookbook says on top."""
    with hosts_of(recipe) as hosts:
        there = at_their_addresses(recipe, hosts)
        host = next(iter(hosts.values()))
        proxy = router(there.config, "--timeout-ms", str(SHORT), *there.flags)
        host.faults.mute = True
        proxy.ask(b"set k 0 0 1\r\nv\r\n")
        keys = f'mcrouter_rejoin_journal_keys{{host="{host.address}"}}'
        until(lambda: proxy.metrics()[keys] == 1, "the write to be noted")

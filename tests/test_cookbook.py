"""The README's Policy cookbook is true: its configs load, and what their tables and lists say of failures happens.

The routes that serve are asked, over scripted hosts. Each cell of a table is a test; each line of a list has a check
in STATEMENTS, under the same words. tests/integration/test_cookbook.py asks over real connections.
"""

import contextlib
import io
import tempfile
from typing import Callable, Dict, List

import pytest

from mcrouter.cli.main import main
from mcrouter.engine.hosts.journal import REPLAY
from mcrouter.explain.answers import FAILS, MISSES, TIMES_OUT, UNHEALTHY
from mcrouter.server.hosts import rejoin_mode
from mcrouter.spool.writer import Spool
from mcrouter.testing import DemoHost
from tests.routes.world import World
from tests.support.kitchen import WAYS, Kitchen, Log, loaded, start_time
from tests.support.recipes import Recipe, Row, host_condition, recipes
from tests.support.wire import Wire

RECIPES = {recipe.title: recipe for recipe in recipes()}
CELLS = [(recipe, row) for recipe in RECIPES.values() for row in recipe.rows if row.happens != "-"]


@pytest.mark.parametrize(
    ("recipe", "row"), CELLS, ids=lambda one: one.title if isinstance(one, Recipe) else f"{one[0]}: {one[1]}"
)
def test_what_its_tables_say_happens(recipe: Recipe, row: Row) -> None:
    hosts = [host.text for host in loaded(recipe)[1].hosts]
    assert Kitchen(recipe, *host_condition(row.when, hosts, WAYS)).does(row.command) == row.happens


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.title)
def test_its_configs_load_without_a_warning(recipe: Recipe) -> None:
    assert loaded(recipe)[1].warnings == ()


def test_there_are_ten_and_each_says_what_happens_when_a_host_dies_or_hangs() -> None:
    assert len(RECIPES) == 10
    for recipe in RECIPES.values():
        said = " ".join(row.when for row in recipe.rows)
        assert "all are well" in said or "start_time" in said
        assert "is dead" in said and "hangs" in said, recipe.title


# the lists ------------------------------------------------------------------------------------------------------------

Check = Callable[[Recipe], None]
STATEMENTS: Dict[str, Check] = {}
KEYS = [f"key{number}" for number in range(400)]
WRITES = ("set", "add", "replace", "append", "prepend", "cas", "incr", "decr", "touch", "delete")


def says(statement: str) -> Callable[[Check], Check]:
    """The function checks what this line of a list says."""

    def keep(check: Check) -> Check:
        STATEMENTS[statement] = check
        return check

    return keep


def test_each_statement_has_a_check_and_each_check_a_statement() -> None:
    assert sorted(STATEMENTS) == sorted(statement for recipe in RECIPES.values() for statement in recipe.statements)


@pytest.mark.parametrize(("recipe", "statement"), [(one, said) for one in RECIPES.values() for said in one.statements],
                         ids=lambda one: one if isinstance(one, str) else "")  # fmt: skip
def test_what_its_lists_say(recipe: Recipe, statement: str) -> None:
    STATEMENTS[statement](recipe)


def changed(recipe: Recipe, old: str, new: str) -> Recipe:
    """The recipe with another config."""
    assert old in recipe.config
    return recipe._replace(config=recipe.config.replace(old, new))


def asked(kitchen: Kitchen, command: str) -> List[str]:
    """The hosts that a command is asked of."""
    return sorted({host for host, _line in kitchen.lines(command)})


def places(recipe: Recipe, dead: str = "") -> Dict[str, List[str]]:
    """Where each of KEYS is read."""
    kitchen = Kitchen(recipe, {dead: UNHEALTHY})
    return {key: asked(kitchen, f"get {key}") for key in KEYS}


def world(recipe: Recipe) -> World:
    """Its policy over hosts that answer at once, without a clock."""
    return World(loaded(recipe)[1])


@says("Of a get of several keys each host is asked only for what those before it have not.")
def _(recipe: Recipe) -> None:
    policy = world(recipe)
    policy.hosts["cache1"].values[b"a"] = b"1"
    policy.answer(b"get a b\r\n")
    assert policy.asked() == {"cache1": [b"get a b\r\n"], "cache2": [b"get b\r\n"]}


@says("A host that comes back with its old memory is not read before the keys that it missed are deleted there.")
def _(recipe: Recipe) -> None:
    assert rejoin_mode(loaded(recipe)[1]) == REPLAY


@says("Keys of the other hosts stay where they are: one host in three that dies moves one key in three, to the spares.")
def _(recipe: Recipe) -> None:
    before, after = places(recipe), places(recipe, "cache1")
    moved = [key for key in KEYS if before[key] != after[key]]
    assert all((before[key], after[key]) == (["cache1"], ["spare1"]) for key in moved)
    assert 0.28 < len(moved) / len(KEYS) < 0.38


@says("What is stored at the spares lives for 60 s at most; a shorter life stays as it is.")
def _(recipe: Recipe) -> None:
    policy = world(recipe)
    policy.set_health("cache1", False)
    for exptime, becomes in ((0, 60), (3600, 60), (61, 60), (60, 60), (30, 30)):
        policy.answer(b"set k 0 %d 1\r\nv\r\n" % exptime)
        assert policy.asked() == {"spare1": [b"set k 0 %d 1\r\nv\r\n" % becomes]}


@says("Nothing is deleted at the spares while cache1 is well: should it die again within the 60 s, an old value may be"
      " read there.")  # fmt: skip
def _(recipe: Recipe) -> None:
    assert asked(Kitchen(recipe, {}), "delete k") == asked(Kitchen(recipe, {}), "set k") == ["cache1"]
    assert asked(Kitchen(recipe, {"cache1": UNHEALTHY}), "get k") == ["spare1"]


@says("Without `key_hash` keys are hashed by MD5, as in libmemcached's KETAMA_WEIGHTED.")
def _(recipe: Recipe) -> None:
    default = places(changed(recipe, ", key_hash: fnv1a_64", ""))
    assert default == places(changed(recipe, "fnv1a_64", "md5")) != places(recipe)


@says("The order of the servers does not matter, their names and ports do.")
def _(recipe: Recipe) -> None:
    before = places(recipe)
    assert places(changed(recipe, "cache1, cache2, cache3", "cache3, cache1, cache2")) == before
    renamed = places(changed(recipe, "cache1, cache2, cache3", "cache1:11212, cache2, cache3"))
    assert [key for key in KEYS if (renamed[key] == ["cache2"]) != (before[key] == ["cache2"])]


@says("The keys of a host that is dead are not moved to others: they come back with it.")
def _(recipe: Recipe) -> None:
    before, after = places(recipe), places(recipe, "cache3")
    assert all(after[key] == ([] if host == ["cache3"] else host) for key, host in before.items())


@says("Writes and deletes go to both, so that no get finds at old1 what has been deleted or changed at new1.")
def _(recipe: Recipe) -> None:
    for verb in WRITES:
        assert asked(Kitchen(recipe, {}), f"{verb} k") == ["new1", "old1"]


@says("What is copied lives for the 3600 s of `exptime`; with `enable_metaget: true` in its place, as long as at old1.")
def _(recipe: Recipe) -> None:
    cold = {"new1": MISSES}
    assert Kitchen(recipe, cold).lines("get k")[-1] == ("new1", "add k 0 3600 4")
    lines = Kitchen(changed(recipe, "exptime: 3600", "enable_metaget: true"), cold).lines("get k")
    assert lines[-2:] == [("old1", "mg k t"), ("new1", "add k 0 0 4")]  # it is told: for ever


@says("`gets`, and with it `cas`, ask both and take the word of new1: what is not there yet is a miss.")
def _(recipe: Recipe) -> None:
    for command, misses in (("gets k", "`END`"), ("cas k", "`NOT_STORED`")):
        assert Kitchen(recipe, {"new1": MISSES}).does(command) == f"new1, old1 → {misses}"


@says("In the second hour each key goes over at a moment of its own: half way through, half of them have.")
def _(recipe: Recipe) -> None:
    for minutes, least, most in ((60, 0.0, 0.02), (75, 0.2, 0.3), (90, 0.44, 0.56), (105, 0.7, 0.8), (120, 1.0, 1.0)):
        kitchen = Kitchen(recipe, {})
        over = 0
        for key in KEYS:
            kitchen.wall = start_time(kitchen.config) + 60 * minutes
            over += asked(kitchen, f"get {key}") == ["new1"]
        assert least <= over / len(KEYS) <= most


@says("A key that goes over is a miss at new1 until it is stored again; WarmUpRoute copies, MigrateRoute does not.")
def _(recipe: Recipe) -> None:
    assert Kitchen(recipe, {"new1": MISSES}, 119).does("get k") == "new1 → `END`"


@says("About one key in ten is copied, with reads and writes, and always the same keys.")
def _(recipe: Recipe) -> None:
    kitchen = Kitchen(recipe, {})
    copied = {verb: {key for key in KEYS if "trial1" in asked(kitchen, f"{verb} {key}")} for verb in ("get", "set")}
    assert copied["get"] == copied["set"] and 0.06 < len(copied["get"]) / len(KEYS) < 0.14


@says("No client waits for trial1. While 1000 copies are under way to it, no more are made.")
def _(recipe: Recipe) -> None:
    policy = world(recipe)
    policy.hosts["trial1"].holds = True
    for _turn in range(1100):
        assert policy.answer(b"get k12\r\n") is not None
    assert (len(policy.hosts["cache1"].asked), len(policy.hosts["trial1"].asked)) == (1100, 1000)


@says("No value stays at localhost for more than 10 s: so old may be what another machine has changed meanwhile.")
def _(recipe: Recipe) -> None:
    policy = world(recipe)
    policy.hosts["cache1"].values[b"k"] = b"v"
    for exptime in (0, 10, 3600):
        policy.answer(b"set k 0 %d 1\r\nv\r\n" % exptime)
        assert policy.asked()["localhost"] == [b"set k 0 10 1\r\nv\r\n"]
    policy.answer(b"get k\r\n")
    assert policy.asked()["localhost"][1] == b"add k 0 10 1\r\nv\r\n"


@says("`incr`, `append`, `cas` and what else is not named change cache1 alone, and localhost is behind for those 10 s.")
def _(recipe: Recipe) -> None:
    for verb in set(WRITES) - {"set", "delete"}:
        assert asked(Kitchen(recipe, {}), f"{verb} k") == ["cache1"]


@says("Hosts see keys without the prefix: `k` is the same key in both regions.")
def _(recipe: Recipe) -> None:
    assert Kitchen(recipe, {}).lines("get /west/web/k") == [("west1", "get k")]
    assert Kitchen(recipe, {}).lines("get /east/web/k") == Kitchen(recipe, {}).lines("get k") == [("east1", "get k")]


@says("A delete without a prefix goes to the own region alone.")
def _(recipe: Recipe) -> None:
    there = recipe._replace(flags=("--route-prefix", "/west/web/"))
    assert asked(Kitchen(recipe, {}), "delete k") == ["east1"] and asked(Kitchen(there, {}), "delete k") == ["west1"]


@says("The 1001st get of `news:` keys within a second is a miss, the 101st set `NOT_STORED`, and news1 is not asked.")
def _(recipe: Recipe) -> None:
    for data, rate, refusal in ((b"get news:k\r\n", 1000, b"END\r\n"), (SET_NEWS, 100, b"NOT_STORED\r\n")):
        policy = world(recipe)
        policy.hosts["news1"].values[b"news:k"] = b"v"
        answers = [policy.answer(data) for _turn in range(rate + 1)]
        assert [place for place, answer in enumerate(answers) if answer and answer[0] == refusal] == [rate]
        assert len(policy.asked()["news1"]) == rate


SET_NEWS = b"set news:k 0 0 1\r\nv\r\n"


@says("Commands that have no rate, here deletes, always pass.")
def _(recipe: Recipe) -> None:
    policy = world(recipe)
    for _turn in range(3000):
        policy.answer(b"delete news:k\r\n")
    assert len(policy.asked()["news1"]) == 3000


@says("Each event loop counts for itself: with `-n 4` the rates are four times as high.")
def _(recipe: Recipe) -> None:
    passed = 0
    for policy in [world(recipe) for _loop in range(4)]:  # each loop builds a policy of its own
        for _turn in range(150):
            policy.answer(SET_NEWS)
        passed += len(policy.asked()["news1"])
    assert passed == 400


@says(
    "A delete that cache1 did not answer is in a file under `/var/spool/mcrouter`, and `mcrouter replay` delivers it."
)
def _(recipe: Recipe) -> None:
    with tempfile.TemporaryDirectory() as directory, DemoHost() as back:
        for way in (UNHEALTHY, TIMES_OUT, FAILS):
            with Wire(back.port) as client:
                assert client.ask(b"set k 0 0 1\r\nv\r\n") == b"STORED\r\n"
                Kitchen(recipe, {"cache1": way}, spool=Spool(directory)).does("delete k")
                with contextlib.redirect_stdout(io.StringIO()):
                    assert main(["replay", directory, "--host", f"cache1:11211={back.address}"]) == 0
                assert client.ask(b"get k\r\n") == b"END\r\n"


@says("A delete that cannot be written there gets the error, and the client knows.")
def _(recipe: Recipe) -> None:
    assert Kitchen(recipe, {"cache1": UNHEALTHY}, spool=Log(full=True)).does("delete k") == "no host → error"

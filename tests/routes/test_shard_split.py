"""ShardSplitRoute: the tables of its docstring."""

import pytest

from mcrouter.config import ConfigError
from mcrouter.proto import outcomes as o
from mcrouter.routes.shard_split import Split

from .script import DELETED, NOT_FOUND, SERVER_ERROR, STORED, Host, block, request
from .world import World

POOLS = {"A": {"servers": ["h:1"]}}
START = 1_700_000_000  # the world's time
KEY = b"p:123:x"


def world(splits, host_id=0, field="target", **host):
    """A host behind the route."""
    route = {"type": "ShardSplitRoute", field: "PoolRoute|A", "shard_splits": splits}
    return World({"pools": POOLS, "route": route}, {"h:1": Host("h:1", **host)}, host_id=host_id)


def asked(world, data):
    """The keys that the host is asked for."""
    world.answer(data)
    return b" ".join(key for data in world.asked()["h:1"] for key in request(data).keys()).decode()


# a host id, a number of parts, a key, the key that the host is asked for
PARTS = [
    (0, 3, "p:123:x", "p:123:x"),
    (1, 3, "p:123:x", "p:123aa:x"),
    (2, 3, "p:123:x", "p:123ba:x"),
    (3, 3, "p:123:x", "p:123:x"),
    (26, 100, "p:123:x", "p:123za:x"),
    (27, 100, "p:123:x", "p:123ab:x"),
    (676, 677, "p:123:x", "p:123zz:x"),
    (1, 1, "p:123:x", "p:123:x"),
    (1, 3, "p:123:x:y", "p:123aa:x:y"),
    (1, 3, ":123:", ":123aa:"),
    (1, 3, "p:12:x", "p:12:x"),
    (1, 3, "p:123aa:x", "p:123aa:x"),
    (1, 3, "p:123", "p:123"),
    (1, 3, "123:x", "123:x"),
    (1, 3, "p::123:x", "p::123:x"),
    (1, 3, "p:123|#|:x", "p:123|#|:x"),
    (1, 3, "p:123:x|#|y", "p:123aa:x|#|y"),
]


@pytest.mark.parametrize(("host_id", "parts", "key", "expected"), PARTS)
@pytest.mark.parametrize("data", [b"get %b\r\n", b"set %b 0 0 1\r\nx\r\n", b"incr %b 1\r\n", b"mg %b v\r\n"])
def test_the_own_part(host_id, parts, key, expected, data):
    assert asked(world({"123": parts}, host_id), data % key.encode()) == expected


def test_a_shards_id_ends_with_a_digit():
    splits = {"abc": 2, "ab1": 2}
    assert asked(world(splits, 1), b"get p:abc:x\r\n") == "p:abc:x"
    assert asked(world(splits, 1), b"get p:ab1:x\r\n") == "p:ab1aa:x"


@pytest.mark.parametrize(("length", "expected"), [(247, 249), (248, 250), (249, 249), (250, 250)])
def test_a_key_that_would_become_too_long_stays(length, expected):
    assert len(asked(world({"123": 2}, 1), b"get %b\r\n" % KEY.ljust(length, b"k"))) == expected


def test_the_client_sees_its_own_keys():
    split = world({"123": 2}, 1, values={b"p:123aa:x": b"1", b"q": b"2"})
    data = b"get q p:123:x p:123:y\r\n"
    assert split.answer(data) == (block(b"q", b"2") + block(b"p:123:x", b"1") + b"END\r\n", o.PARTIAL)
    assert split.asked() == {"h:1": [b"get q p:123aa:x p:123aa:y\r\n"]}


def migration(old, new, start=START, period=1000, **more):
    """A migration in the world's time."""
    return {"old_split_size": old, "new_split_size": new, "split_start": start, "migration_period": period, **more}


HALF = 16384 // 2
# a migration, host id, seconds since it began; the host's own part
MIGRATIONS = [
    (migration(1, 2), 1, -1, "p:123:x"),
    (migration(1, 2), 1, 1, "p:123aa:x"),
    (migration(1, 2), HALF + 1, 1, "p:123:x"),
    (migration(1, 2), HALF + 1, 499, "p:123:x"),
    (migration(1, 2), HALF + 1, 501, "p:123aa:x"),
    (migration(1, 2), 16383, 998, "p:123:x"),
    (migration(1, 2), 16383, 1001, "p:123aa:x"),
    (migration(1, 2), 16385, 1, "p:123aa:x"),
    (migration(5, 2), HALF + 1, 1, "p:123ca:x"),
    (migration(5, 2), HALF + 1, 600, "p:123aa:x"),
    (migration(1, 2, period=0), HALF + 1, -1, "p:123:x"),
    (migration(1, 2, period=0), HALF + 1, 1, "p:123aa:x"),
    ({"new_split_size": 2}, 1, 0, "p:123aa:x"),
    ({"old_split_size": 2}, 1, 0, "p:123:x"),
    ({}, 1, 0, "p:123:x"),
]


@pytest.mark.parametrize(("split", "host_id", "after", "expected"), MIGRATIONS)
def test_a_migration(split, host_id, after, expected):
    migrating = world({"123": split}, host_id)
    migrating.wall += after
    assert asked(migrating, b"get %b\r\n" % KEY) == expected


# a time, a host id, and the parts that this machine, and any machine, may use, of a migration from 3 to 5 parts that begins
# at 100 and takes 16384 seconds, one for each host id
TIMES = [
    (99, 0, 3, 3), (99, 16383, 3, 3),
    (100, 0, 3, 5), (101, 0, 5, 5), (101, 1, 3, 5), (102, 1, 5, 5), (101, 16384, 5, 5), (101, 16385, 3, 5), (102, 16385, 5, 5),
    (100 + 16383, 16383, 3, 5), (100 + 16384, 16383, 5, 5), (100 + 16384, 0, 5, 5), (100 + 16385, 16383, 5, 5),
]  # fmt: skip


@pytest.mark.parametrize(("now", "host_id", "own", "of_all"), TIMES)
def test_the_parts_in_a_migration(now, host_id, own, of_all):
    split = Split(3, 5, 100, 16384)
    assert (split.parts(now, host_id), split.all_parts(now)) == (own, of_all)
    assert Split(5, 3, 100, 16384).all_parts(now) == (3 if now > 100 + 16384 else 5)


def test_a_split_without_a_migration():
    split = Split(2, 4)
    assert (split.start, split.period, split.fanout) == (0, 0, True)
    assert (split.parts(-1, 0), split.parts(1, 0), split.all_parts(-1), split.all_parts(0), split.all_parts(1)) == (2, 4, 2, 4, 4)


# a split, host id, seconds since the migration began; the keys that a delete goes to
DELETES = [
    (3, 0, 0, "p:123aa:x p:123ba:x p:123:x"),
    (3, 1, 0, "p:123aa:x p:123ba:x p:123:x"),
    (1, 1, 0, "p:123:x"),
    (migration(1, 2), 1, 1, "p:123aa:x"),
    (migration(1, 2), HALF + 1, 1, "p:123:x"),
    (migration(1, 3, fanout_deletes=True), HALF + 1, -1, "p:123:x"),
    (migration(1, 3, fanout_deletes=True), HALF + 1, 1, "p:123aa:x p:123ba:x p:123:x"),
    (migration(3, 1, fanout_deletes=True), 1, 999, "p:123aa:x p:123ba:x p:123:x"),
    (migration(3, 1, fanout_deletes=True), 1, 1001, "p:123:x"),
    (migration(1, 2, fanout_deletes=True), 1, 1001, "p:123aa:x p:123:x"),
]


@pytest.mark.parametrize(("split", "host_id", "after", "expected"), DELETES)
@pytest.mark.parametrize("verb", [b"delete", b"md"])
def test_deletes(split, host_id, after, expected, verb):
    deleting = world({"123": split}, host_id)
    deleting.wall += after
    assert asked(deleting, b"%b %b\r\n" % (verb, KEY)) == expected
    assert asked(deleting, b"%b p:9:x\r\n" % verb) == "p:9:x"


@pytest.mark.parametrize("answer", [DELETED, NOT_FOUND, SERVER_ERROR])
def test_the_answer_to_a_delete_is_that_of_the_shards_own_name(answer):
    says = {b"delete p:123:x\r\n": answer, b"delete p:123aa:x\r\n": STORED}
    assert world({"123": 2}, 1, says=says).answer(b"delete p:123:x\r\n") == answer


def test_nobody_waits_for_the_other_parts():
    split = world({"123": 2}, holds=True)
    sink, host = split.ask(b"delete p:123:x\r\n"), split.hosts["h:1"]
    host.fail()
    assert sink.got is None
    host.fail()
    assert sink.got == host.failure()


def test_failures_pass():
    split = world({"123": 2}, 1)
    split.set_health("h:1", False)
    assert split.answer(b"get p:123:x\r\n")[1] == o.TKO


def test_behind_a_routing_prefix():
    route = {"type": "ShardSplitRoute", "target": "PoolRoute|A", "shard_splits": {"123": 2}}
    pools = {"A": {"servers": ["h:1"], "keep_routing_prefix": True}}
    split = World({"pools": pools, "routes": {"/././": route, "/a:1:/b/": route}}, host_id=1)
    assert asked(split, b"get /a:1:/b/p:123:x\r\n") == "/a:1:/b/p:123aa:x"


def test_it_splits_a_pool():
    route = {"type": "PoolRoute", "pool": "A", "shard_splits": {"123": 2}}
    assert asked(World({"pools": POOLS, "route": route}, host_id=1), b"get p:123:x\r\n") == "p:123aa:x"


def test_facebooks_name_of_the_target():
    assert asked(world({"123": 2}, 1, "destination"), b"get p:123:x\r\n") == "p:123aa:x"


def test_with_an_ordered_pool():
    route = {"type": "ShardSplitRoute", "shard_splits": {"123": 2}}
    seed = World({"orderedPool": ["h:1"], "route": route}, host_id=1)
    seed.answer(b"flush_all\r\n")
    assert seed.asked() == {"h:1": [b"flush_all\r\n"]}
    remarks = [seed.route(b"get").describe(request(data % KEY))[0] for data in (b"get %b\r\n", b"delete %b\r\n")]
    assert remarks == ["as p:123aa:x", "in all of 2 parts"]


def test_without_splits_it_has_no_part():
    assert "ShardSplitRoute" not in world({}).handles(b"get")
    assert "ShardSplitRoute" in world({"1": 2}).handles(b"get")


OF = "shard_splits of ShardSplitRoute is invalid;"
RECORD = "old_split_size, new_split_size, split_start, migration_period, fanout_deletes"
ERRORS = [
    (1, f"{OF} write a map from shards to numbers of parts"),
    ({"1": 0}, f"{OF} for shard 1 write a whole number from 1 to 677"),
    ({"1": 678}, f"{OF} for shard 1 write a whole number from 1 to 677"),
    ({"1": "2"}, f"{OF} for shard 1 write a whole number from 1 to 677"),
    ({"1": {"size": 2}}, f"{OF} for shard 1 'size' is not a known key; write a map with {RECORD}"),
    ({"1": {"new_split_size": 0}}, f"{OF} for shard 1 new_split_size is invalid; write a whole number from 1 to 677"),
    ({"1": {"fanout_deletes": 1}}, f"{OF} for shard 1 fanout_deletes is invalid; write true or false"),
]


@pytest.mark.parametrize(("splits", "message"), ERRORS)
def test_errors(splits, message):
    with pytest.raises(ConfigError) as error:
        world(splits)
    assert error.value.message == message


@pytest.mark.parametrize("missing", ["target", "shard_splits"])
def test_what_is_missing(missing):
    route = {"type": "ShardSplitRoute", "target": "PoolRoute|A", "shard_splits": {}}
    del route[missing]
    with pytest.raises(ConfigError) as error:
        World({"pools": POOLS, "route": route})
    assert error.value.message == f"ShardSplitRoute without {missing}; add {missing}"

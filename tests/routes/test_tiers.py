"""WarmUp, SlowWarmUp, Migrate, L1L2Cache and Staging: the tables of their docstrings."""

import random

import pytest

from mcrouter.config import ConfigError
from mcrouter.hashing.spooky import hash32
from mcrouter.proto import outcomes as o
from mcrouter.proto.reply import TOO_LARGE
from mcrouter.routes.slow_warm_up import HitRate

from .script import DELETED, MISS, NOT_FOUND, NOT_STORED, SERVER_ERROR, STORED, Host, Sink, block, hit, request
from .world import World

GET, GETS, SET, DELETE = b"get k\r\n", b"gets k\r\n", b"set k 0 0 1\r\nx\r\n", b"delete k\r\n"
HIT1, HIT2 = hit(b"k", b"1"), hit(b"k", b"2")
EN, META_TTL = (b"EN\r\n", o.MISS), (b"HD t77\r\n", o.HEADER)
TTL = b"mg k t\r\n"


def two(route, first, second, **options):
    """A world of a route with two hosts, a and b, in its fields `first` and `second`."""
    pools = {name: {"servers": [f"{name}:1"]} for name in "ab"}
    return World({"pools": pools, "route": {"type": route, first: "PoolRoute|a", second: "PoolRoute|b", **options}})


def says(world, name, **answers):
    """What a host answers, by command: get, gets, set, add, delete, mg."""
    bytes_of = {"get": GET, "gets": GETS, "set": SET, "delete": DELETE, "mg": TTL}
    for command, answer in answers.items():
        world.hosts[f"{name}:1"].says[bytes_of.get(command, command)] = answer


def asked(world):
    """What each of the two was asked."""
    found = world.asked()
    return found.get("a:1", []), found.get("b:1", [])


# WarmUp ------------------------------------------------------------------------------------------------------------


def warm_up(**options):
    return two("WarmUpRoute", "cold", "warm", **options)


WARM_UP_GETS = [
    (HIT1, HIT2, HIT1, ([GET], [])),
    (MISS, HIT2, HIT2, ([GET, b"add k 0 0 1\r\n2\r\n"], [GET])),
    (SERVER_ERROR, HIT2, HIT2, ([GET, b"add k 0 0 1\r\n2\r\n"], [GET])),
    (MISS, MISS, MISS, ([GET], [GET])),
    (MISS, SERVER_ERROR, SERVER_ERROR, ([GET], [GET])),
    (SERVER_ERROR, MISS, MISS, ([GET], [GET])),
]


@pytest.mark.parametrize(("cold", "warm", "expected", "who"), WARM_UP_GETS)
def test_warm_up_get(cold, warm, expected, who):
    world = warm_up()
    says(world, "a", get=cold)
    says(world, "b", get=warm)
    assert world.answer(GET) == expected
    assert asked(world) == who


@pytest.mark.parametrize("fate", [o.TIMEOUT, o.LOST])
def test_warm_up_when_the_cold_one_fails(fate):
    world = warm_up()
    world.hosts["a:1"].holds = True
    says(world, "b", get=HIT2)
    sink = world.ask(GET)
    world.hosts["a:1"].fail(fate)
    if fate == o.LOST:  # a read is asked once more on a fresh connection
        world.hosts["a:1"].fail(fate)
    assert sink.got == HIT2


def test_warm_up_when_the_cold_one_is_unhealthy():
    world = warm_up()
    world.set_health("a:1", False)
    says(world, "b", get=HIT2)
    assert world.answer(GET) == HIT2
    assert asked(world) == ([], [GET])


@pytest.mark.parametrize(
    ("options", "ttl", "added"),
    [({"exptime": 60}, None, 60), ({"enable_metaget": True}, META_TTL, 77), ({"enable_metaget": True}, (b"HD t-1\r\n", o.HEADER), 0),
     ({"enable_metaget": True, "exptime": 5}, None, 5), ({}, None, 0)],
)  # fmt: skip
def test_warm_up_exptime(options, ttl, added):
    world = warm_up(**options)
    says(world, "a", get=MISS)
    says(world, "b", get=HIT2, mg=ttl)
    assert world.answer(GET) == HIT2
    assert asked(world) == ([GET, b"add k 0 %d 1\r\n2\r\n" % added], [GET, TTL] if ttl else [GET])


def test_warm_up_adds_nothing_that_has_gone_from_the_warm_one():
    world = warm_up(enable_metaget=True)
    says(world, "b", get=HIT2, mg=EN)
    assert world.answer(GET) == HIT2
    assert asked(world)[0] == [GET]


def test_warm_up_adds_before_it_answers():
    """What the client sends when it has its answer comes behind the add."""
    world = warm_up()
    says(world, "b", get=HIT2)
    order = []
    send = world.hosts["a:1"].send
    world.hosts["a:1"].send = lambda request, sink, since=None: (order.append(request.data), send(request, sink))
    sink = world.ask(GET)
    assert sink.got == HIT2 and order == [GET, b"add k 0 0 1\r\n2\r\n"]


def test_warm_up_gets():
    """The cas unique must be the cold one's."""
    with_cas = (b"VALUE k 0 1 9\r\n2\r\nEND\r\n", o.VALUE)
    world = warm_up()
    says(world, "b", get=HIT2)
    answers = [MISS, with_cas]
    cold = world.hosts["a:1"]
    single = cold._single
    cold._single = lambda data: answers.pop(0) if data == GETS else single(data)
    assert world.answer(GETS) == with_cas
    assert asked(world) == ([GETS, b"add k 0 0 1\r\n2\r\n", GETS], [GET])


def test_warm_up_does_not_fill_in_a_value_that_is_too_large_to_be_held():
    world = warm_up()
    says(world, "b", get=HIT2)
    asks, sink = request(GETS), Sink()
    asks.large_value = object()
    world.route(b"gets").start(asks, sink)
    assert sink.got == MISS
    assert asked(world) == ([GETS], [])


def test_warm_up_gets_of_what_nobody_has():
    world = warm_up()
    assert world.answer(GETS) == MISS
    assert asked(world) == ([GETS], [GET])


@pytest.mark.parametrize("data", [SET, DELETE, b"incr k 1\r\n", b"touch k 1\r\n", b"ms k 1\r\nx\r\n", b"md k\r\n"])
def test_warm_up_writes(data):
    world = warm_up()
    world.ask(data)
    assert asked(world) == ([data], [])


def test_warm_up_several_keys():
    world = warm_up()
    world.hosts["a:1"].values[b"a"] = b"1"
    world.hosts["b:1"].values[b"b"] = b"2"
    assert world.answer(b"get a b c\r\n") == (block(b"a", b"1") + block(b"b", b"2") + b"END\r\n", o.PARTIAL)


def test_warm_up_of_what_is_too_large_to_be_held():
    world = warm_up()
    says(world, "a", get=MISS)
    says(world, "b", get=(TOO_LARGE, o.VALUE))
    assert world.answer(GET)[0] == TOO_LARGE
    assert asked(world) == ([GET], [GET])


# SlowWarmUp --------------------------------------------------------------------------------------------------------


def slow(chance=0.0, **settings):
    warm_up_of = {"failoverTarget": "PoolRoute|b", "settings": {"min_requests": 4, **settings}}
    route = {"type": "PoolRoute", "pool": "a", "slow_warmup": warm_up_of}
    pools = {name: {"servers": [f"{name}:1"]} for name in "ab"}
    return World({"pools": pools, "route": route}, chance=Chance(chance))


SETTINGS = {"enable_threshold": 0.7, "disable_threshold": 0.9, "start": 0.1, "step": 1.0, "min_requests": 100}


class Chance(random.Random):
    """What `random()` gives."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def random(self):
        return self.value


def test_slow_warm_up():
    world = slow(chance=0.5)
    for _ in range(4):  # too few to tell
        world.ask(GET)
    assert asked(world) == ([GET] * 4, [])
    world.ask(GET)  # hit rate 0: a tenth of the reads, and this is not among them
    world.ask(SET)
    assert asked(world) == ([SET], [GET])
    world.context.chance.value = 0.05
    world.hosts["a:1"].values[b"k"] = b"1"
    for _ in range(20):  # by chance; 20 of 24 hit: still below the other threshold
        world.ask(GET)
    world.context.chance.value = 1.0
    world.ask(GET)
    assert len(asked(world)[1]) == 1
    world.context.chance.value = 0.0
    for _ in range(20):
        world.ask(GET)
    world.context.chance.value = 1.0
    world.ask(GET)  # 40 of 44: it is warm
    assert asked(world)[1] == []


def test_slow_warm_up_notices_that_a_host_has_lost_its_values():
    """However many reads there were before: the older ones fade."""
    world = slow(chance=1.0, min_requests=10)
    world.hosts["a:1"].values[b"k"] = b"1"
    for _ in range(10_000):
        world.ask(GET)
    assert len(asked(world)[0]) == 10_000
    world.hosts["a:1"].values.clear()
    for _ in range(200):
        world.ask(GET)
    cold, other = asked(world)
    assert len(cold) < 100 and len(cold) + len(other) == 200


@pytest.mark.parametrize(("reads", "counted"), [(199, (199, 199)), (200, (100, 100)), (299, (199, 199)), (300, (100, 100))])
def test_slow_warm_up_counts_the_latest_reads(reads, counted):
    rate = HitRate({**SETTINGS, "min_requests": 10})
    for _ in range(reads):
        rate.count(o.VALUE)
    assert (rate.hits, rate.reads) == counted and rate.rate() == 1.0


COUNTED = [(o.VALUE, 1, 1), (o.HEADER, 1, 1), (o.MISS, 0, 1), (o.VALUE + o.MISS * 2, 1, 3), (o.TIMEOUT, 0, 0), (o.SERVER_ERROR, 0, 0)]


@pytest.mark.parametrize(("outcomes", "hits", "reads"), COUNTED)
def test_slow_warm_up_counts_hits_and_misses(outcomes, hits, reads):
    rate = HitRate(SETTINGS)
    rate.count(outcomes)
    assert (rate.hits, rate.reads) == (hits, reads)


RATES = [  # min_requests, hits, misses, the rate
    (4, 0, 0, 1.0), (4, 0, 3, 1.0), (4, 0, 4, 0.0), (4, 3, 1, 0.75), (0, 0, 0, 1.0), (0, 0, 1, 0.0), (1, 0, 1, 0.0), (1, 0, 0, 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("least", "hits", "misses", "expected"), RATES)
def test_slow_warm_up_knows_no_rate_before_min_requests(least, hits, misses, expected):
    rate = HitRate({**SETTINGS, "min_requests": least})
    rate.count(o.VALUE * hits + o.MISS * misses)
    assert rate.rate() == expected


def test_slow_warm_up_begins_below_one_threshold_and_ends_at_the_other():
    rate = HitRate({**SETTINGS, "min_requests": 1, "start": 0.25, "step": 0.5})
    rate.count(o.VALUE * 7 + o.MISS * 3)
    assert not rate.is_warming()  # 0.7 is not below 0.7
    rate.count(o.MISS)
    assert rate.is_warming() and rate.share() == 0.25 + 0.5 * 7 / 11
    rate.count(o.VALUE * 28)  # 35 of 39
    assert rate.is_warming()
    rate.count(o.VALUE)  # 36 of 40: 0.9 is not below 0.9
    assert not rate.is_warming()


@pytest.mark.parametrize(("chance", "expected"), [(0.1, "a"), (0.11, "b")])
def test_slow_warm_up_asks_the_cold_host_at_its_share(chance, expected):
    world = slow(chance=chance)
    for _ in range(4):
        world.ask(GET)
    world.asked()
    world.ask(GET)
    assert list(world.asked()) == [f"{expected}:1"]


def test_slow_warm_up_settings():
    with pytest.raises(ConfigError, match="settings of slow_warmup is invalid; start is invalid; write a number from 0 to 1"):
        slow(start=2)


# Migrate -----------------------------------------------------------------------------------------------------------

START = 1_700_000_000  # the world's time


def migrate(ago, **options):
    return two("MigrateRoute", "from", "to", start_time=START - ago, interval=100, **options)


FIRST = hash32(b"k", 0) % 100  # seconds into the second span at which `k` goes over
MIGRATIONS = [
    (-1, DELETE, "a"), (0, DELETE, "ab"), (100, DELETE, "ab"), (199, DELETE, "ab"), (200, DELETE, "b"),
    (-1, GET, "a"), (0, GET, "a"), (99, GET, "a"), (100 + FIRST - 1, GET, "a"), (100 + FIRST, GET, "b"), (200, GET, "b"),
    (100 + FIRST - 1, SET, "a"), (100 + FIRST, SET, "b"),
]  # fmt: skip


@pytest.mark.parametrize(("ago", "data", "who"), MIGRATIONS)
def test_migrate(ago, data, who):
    world = migrate(ago)
    world.ask(data)
    assert asked(world) == ([data] if "a" in who else [], [data] if "b" in who else [])


def test_migrate_deletes_answer_with_the_worst():
    world = migrate(50)
    says(world, "a", delete=DELETED)
    says(world, "b", delete=NOT_FOUND)
    assert world.answer(DELETE) == NOT_FOUND
    says(world, "b", delete=SERVER_ERROR)
    assert world.answer(DELETE) == SERVER_ERROR


def test_migrate_goes_over_as_time_passes():
    world = migrate(0)
    world.pass_time(100 + FIRST - 1)
    world.ask(GET)
    world.pass_time(1)
    world.ask(GET)
    assert asked(world) == ([GET], [GET])


def test_migrate_of_several_keys():
    world = migrate(150)
    keys = [b"k%d" % i for i in range(40)]
    gone = [key for key in keys if hash32(key, 0) % 100 <= 50]
    for key in keys:
        world.hosts["b:1" if key in gone else "a:1"].values[key] = b"v"
    assert 0 < len(gone) < len(keys)
    reply, outcome = world.answer(b"get " + b" ".join(keys) + b"\r\n")
    assert outcome == o.VALUE and reply.count(b"VALUE") == len(keys)


def test_migrate_hash_stop():
    world = migrate(100 + FIRST)
    world.ask(b"get k|#|x\r\n")
    assert asked(world)[1] == [b"get k|#|x\r\n"]


# L1L2 --------------------------------------------------------------------------------------------------------------


def l1l2(**options):
    return two("L1L2CacheRoute", "l1", "l2", upgradingL1Exptime=30, **options)


NOTHING = (b"VALUE k 65536 6\r\nncache\r\nEND\r\n", o.VALUE)
ADDED, NOTED = b"add k 0 30 1\r\n2\r\n", b"add k 65536 9 6\r\nncache\r\n"
L1L2 = [
    ({}, HIT1, HIT2, HIT1, ([GET], [])),
    ({}, MISS, HIT2, HIT2, ([GET, ADDED], [GET])),
    ({}, SERVER_ERROR, HIT2, HIT2, ([GET, ADDED], [GET])),
    ({}, MISS, MISS, MISS, ([GET], [GET])),
    ({}, MISS, SERVER_ERROR, SERVER_ERROR, ([GET], [GET])),
    ({"ncacheExptime": 9}, MISS, MISS, MISS, ([GET, NOTED], [GET])),
    ({"ncacheExptime": 9}, MISS, SERVER_ERROR, SERVER_ERROR, ([GET], [GET])),
    ({"ncacheExptime": 9}, NOTHING, HIT2, MISS, ([GET], [])),
    ({"ncacheExptime": 9, "ncacheUpdatePeriod": 1}, NOTHING, HIT2, MISS, ([GET, b"set k 0 30 1\r\n2\r\n"], [GET])),
    ({"ncacheExptime": 9, "ncacheUpdatePeriod": 1}, NOTHING, MISS, MISS, ([GET, b"set k 65536 9 6\r\nncache\r\n"], [GET])),
    ({"ncacheExptime": 9, "ncacheUpdatePeriod": 1}, NOTHING, SERVER_ERROR, MISS, ([GET], [GET])),
    ({"ncacheExptime": 9, "ncacheUpdatePeriod": 2}, NOTHING, HIT2, MISS, ([GET], [])),
]


@pytest.mark.parametrize(("options", "l1", "l2", "expected", "who"), L1L2)
def test_l1l2_get(options, l1, l2, expected, who):
    world = l1l2(**options)
    says(world, "a", get=l1)
    says(world, "b", get=l2)
    assert world.answer(GET) == expected
    assert asked(world) == who


def test_l1l2_looks_again_each_time_that_it_is_due():
    world = l1l2(ncacheExptime=9, ncacheUpdatePeriod=3)
    says(world, "a", get=NOTHING)
    for _ in range(7):
        assert world.answer(GET) == MISS
    assert asked(world)[1] == [GET, GET]


@pytest.mark.parametrize("data", [SET, DELETE, b"incr k 1\r\n", b"ms k 1\r\nx\r\n"])
def test_l1l2_writes(data):
    world = l1l2()
    world.ask(data)
    assert asked(world) == ([data], [])


def test_l1l2_gets_sees_no_mark():
    world = l1l2()
    says(world, "a", gets=(b"VALUE k 65536 6 3\r\nncache\r\nEND\r\n", o.VALUE))
    assert world.answer(GETS) == MISS
    assert asked(world) == ([GETS], [])


# Staging -----------------------------------------------------------------------------------------------------------


def staging():
    return two("StagingRoute", "warm", "staging")


STAGING = [
    (GET, HIT1, {"mg": META_TTL}, HIT1, ([GET], [TTL])),
    (GET, MISS, {}, MISS, ([GET], [])),
    (GET, SERVER_ERROR, {}, SERVER_ERROR, ([GET], [])),
    (GETS, (b"VALUE k 0 1 5\r\n1\r\nEND\r\n", o.VALUE), {"mg": EN}, (b"VALUE k 0 1 5\r\n1\r\nEND\r\n", o.VALUE), ([GETS], [TTL])),
    (SET, STORED, {}, STORED, ([SET], [SET])),
    (SET, SERVER_ERROR, {}, SERVER_ERROR, ([SET], [])),
    (SET, NOT_STORED, {}, NOT_STORED, ([SET], [])),
    (DELETE, DELETED, {"delete": NOT_FOUND}, NOT_FOUND, ([DELETE], [DELETE])),
    (DELETE, DELETED, {"delete": SERVER_ERROR}, SERVER_ERROR, ([DELETE], [DELETE])),
    (b"incr k 1\r\n", (b"5\r\n", o.NUMBER), {}, (b"5\r\n", o.NUMBER), ([b"incr k 1\r\n"], [b"incr k 1\r\n"])),
    (b"incr k 1\r\n", SERVER_ERROR, {}, SERVER_ERROR, ([b"incr k 1\r\n"], [])),
    (b"cas k 5 6 1 9\r\nx\r\n", STORED, {}, STORED, ([b"cas k 5 6 1 9\r\nx\r\n"], [b"set k 5 6 1\r\nx\r\n"])),
]


@pytest.mark.parametrize(("data", "warm", "other", "expected", "who"), STAGING)
def test_staging(data, warm, other, expected, who):
    world = staging()
    world.hosts["a:1"].says[data] = warm
    says(world, "b", **other)
    assert world.answer(data) == expected
    assert asked(world) == who


def test_staging_adds_what_is_not_there_with_the_warm_ones_exptime():
    world = staging()
    says(world, "a", get=HIT1, mg=META_TTL)
    says(world, "b", mg=EN)
    assert world.answer(GET) == HIT1
    assert asked(world) == ([GET, TTL], [TTL, b"add k 0 77 1\r\n1\r\n"])


def test_staging_does_not_wait():
    world = staging()
    world.hosts["b:1"].holds = True
    says(world, "a", get=HIT1)
    assert world.answer(GET) == HIT1
    assert world.answer(SET) == STORED


# In the seed's form ------------------------------------------------------------------------------------------------


def test_over_an_ordered_pool():
    route = {"type": "WarmUpRoute", "cold": "b:1", "warm": {"type": "MissFailoverRoute"}}
    world = World({"orderedPool": ["a:1", "b:1"], "route": route}, {"a:1": Host("a:1", {b"k": b"1"})})
    assert world.answer(GET) == HIT1
    assert asked(world) == ([GET], [GET, b"add k 0 0 1\r\n1\r\n"])


@pytest.mark.parametrize("name", ["upgradingL1Exptime", "ncacheExptime", "ncacheUpdatePeriod"])
def test_times_are_at_most_what_memcached_takes(name):
    options = {"upgradingL1Exptime": 30, name: 2**31 - 1}
    two("L1L2CacheRoute", "l1", "l2", **options)
    for wrong in (2**31, -1):
        with pytest.raises(ConfigError, match="2147483647"):
            two("L1L2CacheRoute", "l1", "l2", **{**options, name: wrong})

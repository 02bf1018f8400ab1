"""The router's own statistics over made-up counters: groups, names, forms, sums and rates. No sockets."""

import pytest

import mcrouter.stats.facts as facts
from mcrouter.counters.cells import local_cells
from mcrouter.counters.layout import BUCKETS_MS, Layout
from mcrouter.counters.reader import CounterReader
from mcrouter.engine.hosts.tally import HARD_TKO, SOFT_TKO, Tally
from mcrouter.proto import outcomes as o
from mcrouter.proto import results as r
from mcrouter.proto.commands import BY_NAME, COMMANDS
from mcrouter.stats import About, RequestLoad, Statistics
from mcrouter.stats.servers import server_of
from mcrouter.stats.table import NAMED, STATS, Group
from mcrouter.stats.window import SPAN, STEP, Window
from tests.support.exporters import (
    EXPORTER_NUMBERS,
    EXPORTER_SERVER,
    EXPORTER_TEXTS,
    TELEGRAF_FLOATS,
    TELEGRAF_INTEGERS,
    TELEGRAF_RATES,
    exporter_servers,
    exporter_stats,
    telegraf_stats,
)

HOSTS = ["10.0.0.1:11211", "10.0.0.2:11211"]
STARTED = 1_700_000_000.0


class World:
    """The counters of two event loops, and what happens to hosts in them."""

    def __init__(self):
        self.layout = Layout([command.name for command in COMMANDS], HOSTS)
        self.rows = [local_cells(self.layout) for _ in range(2)]
        self.now = STARTED + 100
        load = {HOSTS[0]: (0.25, 2, 3), HOSTS[1]: (1.0, 0, 1)}
        about = About(STARTED, "-f router.json -n 2")
        self.statistics = Statistics(CounterReader(self.layout, self.rows), about, lambda: RequestLoad(5, 1, load.get), lambda: self.now)
        for number, row in enumerate(self.rows):
            row[self.layout.pid] = number + 4_000_000  # processes that there are not
            for slot in (0, 1):
                row[self.layout.healthy[slot]] = row[self.layout.connections[slot]] = 1

    def tally(self, row=0, slot=0):
        """What a host's events are counted with."""
        at = self.layout
        return Tally(
            self.rows[row], BUCKETS_MS, at.upstream[slot], at.direct[slot], at.errors[slot], at.refused[slot],
            at.unsent[slot], at.results[slot], at.hits[slot], at.misses[slot], at.connections[slot], at.health(slot),
            at.rejoin(slot), at.request_errors,
        )  # fmt: skip

    def ask(self, words=""):
        """The answer as names to texts."""
        portions = self.statistics.answer(words.split())
        return None if portions is None else dict(pair for _, pairs in portions for pair in pairs)

    def wire(self, words=""):
        """The answer as it is sent."""
        return b"".join(f"STAT {name} {value}\r\n".encode() for name, value in self.ask(words).items()) + b"END\r\n"


@pytest.fixture
def world():
    return World()


def commands(*names):
    return bytes(BY_NAME[name].number for name in names)


# groups -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMED)
def test_a_group_has_no_name_twice(name):
    names = [stat.name for stat in STATS if stat.groups & NAMED[name]]
    assert len(set(names)) == len(names)


def test_all_is_what_the_groups_have_but_a_memcacheds_own(world):
    every = set(world.ask("all"))
    assert every == {stat.name for stat in STATS if stat.groups & ~Group.PLAIN}
    for name in ("detailed", "cmd-error", "ods", "count"):
        assert set(world.ask(name)) < every


@pytest.mark.parametrize("words", ["items", "ALL", "all all", "servers x", "noreply", "detail on"])
def test_there_is_no_such_group(world, words):
    assert world.ask(words) is None


@pytest.mark.parametrize(
    ("group", "there", "elsewhere"),
    [
        ("", ["pid", "curr_connections", "cmd_get", "get_hits", f"host:{HOSTS[0]}", "num_servers"], ["config_age"]),
        ("all", ["cmd_get", "cmd_get_count", "config_age", "uptime"], ["get_hits", f"host:{HOSTS[0]}"]),
        ("detailed", ["config_age", "request_sent", "dev_null_requests"], ["request_sent_count", "ps_rss"]),
        ("count", ["cmd_get_count", "result_tko_all_count"], ["cmd_get", "uptime"]),
        ("cmd-error", ["cmd_get_local_error", "cmd_set_remote_error_count"], ["cmd_get"]),
        ("ods", ["ps_rss", "uptime"], ["version"]),
        ("version", ["mcrouter-version"], ["version"]),
        ("external", [], ["version"]),
    ],
)
def test_groups(world, group, there, elsewhere):
    names = world.ask(group)
    assert set(there) <= set(names) and not set(elsewhere) & set(names)


# counts -----------------------------------------------------------------------------------------------------------


def test_totals_are_sums_over_the_event_loops(world):
    for row in (0, 1):
        tally = world.tally(row)
        tally.count_single(2.0, (3, 1, 2), (0, 0, 1))
        world.rows[row][world.layout.client_connections] = 4
        world.rows[row][world.layout.events["dev_null_requests"]] += 2
    plain, everything = world.ask(), world.ask("all")
    assert (plain["cmd_get"], plain["cmd_set"], plain["get_hits"], plain["get_misses"]) == ("8", "4", "6", "2")
    assert (plain["curr_connections"], plain["num_proxies"], plain["num_servers"]) == ("8", "2", "4")
    assert (everything["cmd_set_count"], everything["cmd_set_out_count"]) == ("4", "6")
    assert (everything["request_replied_count"], everything["request_success_count"]) == ("12", "12")
    assert (everything["dev_null_requests"], everything["duration_us"]) == ("4", "2000")
    assert (everything["cmd_get"], everything["cmd_set_out_all"]) == ("0.08", "0.06")  # in 100 seconds


def test_what_is_under_way_is_that_of_the_event_loop_that_answers(world):
    found = world.ask()
    names = ("proxy_reqs_processing", "proxy_reqs_waiting", "destination_pending_reqs", "destination_inflight_reqs")
    assert [found[name] for name in names] == ["5", "1", "2", "4"]


FAILURES = [
    (r.TIMEOUT, "data_timeout", "remote"),
    (r.REMOTE_ERROR, "remote_error", "remote"),
    (r.CONNECT_ERROR, "connect_error", "local"),
    (r.CONNECT_TIMEOUT, "connect_timeout", "local"),
]


@pytest.mark.parametrize(("result", "name", "side"), FAILURES)
def test_a_failure_is_counted_by_result_and_by_command(world, result, name, side):
    world.tally(1).failed(commands("get", "set"), result)
    found = world.ask("all")
    for ending in ("_count", "_all_count"):
        assert (found[f"result_{name}{ending}"], found[f"result_error{ending}"]) == ("2", "2")
    other = {"local": "remote", "remote": "local"}[side]
    assert (found[f"cmd_set_{side}_error_count"], found[f"cmd_set_{other}_error_count"]) == ("1", "0")
    assert sum(int(found[key]) for key in found if key.startswith("result_") and key.endswith("_all_count")) == 4


def test_who_is_not_asked_is_counted_as_tko_alone(world):
    world.tally().record_skipped(commands("get"))
    found = world.ask("all")
    assert (found["result_tko_count"], found["result_error_count"], found["cmd_get_local_error_count"]) == ("1", "1", "0")


ANSWERS = [
    ("set", o.STORED, "stored"), ("set", o.NOT_STORED, "notstored"), ("cas", o.EXISTS, "exists"),
    ("cas", o.NOT_FOUND, "notfound"), ("incr", o.NUMBER, "stored"), ("delete", o.DELETED, "deleted"),
    ("delete", o.NOT_FOUND, "notfound"), ("touch", o.TOUCHED, "touched"), ("touch", o.NOT_FOUND, "notfound"),
    ("ms", o.HEADER, "stored"), ("md", o.HEADER, "deleted"), ("set", o.SERVER_ERROR, "remote_error"),
    ("set", o.ERROR, "remote_error"), ("incr", o.CLIENT_ERROR, "client_error"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "outcome", "name"), ANSWERS)
def test_what_a_server_said(world, command, outcome, name):
    tally = world.tally(0, 1)
    assert tally.refused(commands(command), outcome) == int(outcome in o.HOST_ERRORS)
    tally.answered(commands(command), 1.5, tally.direct)
    line = world.ask("servers")[f"{HOSTS[1]}:ascii:plain:notcompressed-1000"]
    assert line == f"avg_latency_us:1500.000 pending_reqs:0 inflight_reqs:1 up:2; {name}:1"


# servers ----------------------------------------------------------------------------------------------------------


def test_hosts_are_told_by_facebooks_names_and_form(world):
    world.tally(0).count_single(0.5, (3, 2, 4), (0, 0, 0))
    world.tally(1).failed(commands("get"), r.TIMEOUT)
    assert world.wire("servers") == (
        b"STAT 10.0.0.1:11211:ascii:plain:notcompressed-250 avg_latency_us:500.000 pending_reqs:2 inflight_reqs:3 up:2; "
        b"found:3 notfound:2 stored:4 timeout:1\r\n"
        b"STAT 10.0.0.2:11211:ascii:plain:notcompressed-1000 avg_latency_us:0.000 pending_reqs:0 inflight_reqs:1 up:2\r\n"
        b"END\r\n"
    )


@pytest.mark.parametrize(
    ("tko", "flag", "soft", "hard"), [(SOFT_TKO, "soft_tko", "1", "0"), (HARD_TKO, "hard_tko", "0", "1")]
)
def test_a_host_that_is_given_up(world, tko, flag, soft, hard):
    world.rows[1][world.layout.tko[0]], world.rows[1][world.layout.failures[0]] = tko, 3
    world.rows[1][world.layout.healthy[0]] = world.rows[1][world.layout.connections[0]] = 0
    found = world.ask()
    assert world.wire("suspect_servers") == b"STAT 10.0.0.1:11211 status:tko num_failures:3\r\nEND\r\n"
    assert f"inflight_reqs:3 {flag};  up:1 down:1" in world.ask("servers")["10.0.0.1:11211:ascii:plain:notcompressed-250"]
    assert (found["num_suspect_servers"], found["num_soft_tko_count"], found["num_hard_tko_count"]) == ("1", soft, hard)
    assert (found["num_servers_up"], found["num_servers_down"]) == ("3", "1")
    assert (found[f"host:{HOSTS[0]}"], found[f"host:{HOSTS[1]}"]) == ("unhealthy", "healthy")


def test_a_host_that_has_writes_to_catch_up_on_is_down(world):
    world.rows[0][world.layout.healthy[1]] = 0
    assert world.wire("suspect_servers") == b"STAT 10.0.0.2:11211 status:down num_failures:0\r\nEND\r\n"


def test_an_event_loop_that_does_not_run_says_nothing_of_hosts(world):
    world.rows[1][world.layout.pid] = world.rows[1][world.layout.healthy[0]] = 0
    assert world.wire("suspect_servers") == b"END\r\n"
    assert world.ask()["num_servers"] == "2"


def test_a_server_is_new_until_it_has_answered(world):
    world.rows[0][world.layout.connections[0]] = world.rows[1][world.layout.connections[0]] = 0
    world.tally(1).count_single(1.0, (1, 0, 0), (0, 0, 0))
    found = world.ask()
    assert (found["num_servers_new"], found["num_servers_closed"], found["num_servers_up"]) == ("1", "1", "2")


# many hosts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["", "all", "servers", "suspect_servers"])
@pytest.mark.parametrize("loops", [1, 4])
def test_many_hosts_are_looked_at_in_portions(monkeypatch, words, loops):
    """Each step looks at few counters and gives few lines."""
    looks = []
    monkeypatch.setattr(facts, "server_of", lambda *args: looks.append(args[0].loops) or server_of(*args))
    names = [f"10.0.{number // 250}.{number % 250}:11211" for number in range(1000)]
    layout = Layout([command.name for command in COMMANDS], names)
    rows = [local_cells(layout)] * loops
    load = RequestLoad(0, 0, lambda name: (1.0, 0, 0))
    seen, cost = 0, 0
    for step, pairs in Statistics(CounterReader(layout, rows), About(STARTED), lambda: load).answer(words.split()):
        assert sum(looks) <= 20 and len([name for name, _ in pairs if "10.0." in name]) <= 100
        assert step <= 1000
        seen, cost = seen + len(looks), cost + step
        looks.clear()
    assert seen == 1000 and cost > 20 * 1000 * loops


def test_a_host_that_goes_during_a_look_is_left_out(world, monkeypatch):
    monkeypatch.setattr(facts, "_PORTION", 1)
    portions = world.statistics.answer([])
    next(portions)
    for hosts in (HOSTS[:1], [HOSTS[0], "10.0.0.3:11211"]):  # another host gets the place of the second one
        world.layout.place(hosts)
    found = dict(pair for _, pairs in portions for pair in pairs)
    assert found["num_servers"] == "2" and [name for name in found if name.startswith("host:")] == [f"host:{HOSTS[0]}"]


# time -------------------------------------------------------------------------------------------------------------


def test_the_config(world):
    layout, row = world.layout, world.rows[0]
    row[layout.config_failures] = 2
    row[layout.config_last_attempt], row[layout.config_last_success] = world.now - 5, world.now - 60
    found = world.ask("detailed")
    names = ("config_failures", "config_last_attempt", "config_last_success", "config_age", "start_time", "uptime")
    expected = (2, int(world.now) - 5, int(world.now) - 60, 60, int(STARTED), 100)
    assert tuple(int(found[name]) for name in names) == expected


@pytest.mark.parametrize(
    ("looks", "now", "total", "rate"),
    [
        ([], 10, 50, 5.0),  # since the start
        ([(100, 500)], 200, 700, 3.5),  # still: nobody has looked so long ago
        ([(100, 500)], 100 + SPAN, 740, 1.0),
        ([(100, 500), (150, 560)], 100 + SPAN, 740, 1.0),
        ([(100, 500), (100 + STEP / 2, 600)], 100 + 2 * SPAN, 980, 1.0),  # a look right after another is not kept
        ([(100, 500)], 100 + SPAN, 120, 0.5),  # it has begun anew
        ([], 0, 5, 0.0),
    ],
)
def test_rates(looks, now, total, rate):
    window = Window(0.0)
    for then, seen in looks:
        window.growth(then, {"a": seen})
    assert window.growth(now, {"a": total}).rate("a") == rate


# other people's tools ---------------------------------------------------------------------------------------------


def test_mcrouter_exporter_finds_all_that_it_needs(world):
    world.tally().failed(commands("get"), r.TIMEOUT)
    found = exporter_stats(world.wire("all"))
    assert [float(found[name]) for name in EXPORTER_NUMBERS]
    assert [found[name] for name in EXPORTER_TEXTS][1] == "-f router.json -n 2"
    for server in exporter_servers(world.wire("servers")).values():
        assert [float(server[name]) for name in EXPORTER_SERVER]


def test_telegraf_finds_all_that_it_needs(world):
    found = telegraf_stats(world.wire())
    assert [int(found[name]) for name in TELEGRAF_INTEGERS]
    assert [float(found[name]) for name in (*TELEGRAF_FLOATS, *TELEGRAF_RATES)]

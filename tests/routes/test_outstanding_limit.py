"""OutstandingLimitRoute: the table of its docstring, and that each client has its turn."""

import pytest

from mcrouter.config import ConfigError
from mcrouter.proto import outcomes as o

from . import script
from .script import STORED, Host, Sink, block, hit, request
from .world import World


class Client(script.Client):
    """One of several."""


def world(most, holds=True):
    """A host behind the limit."""
    route = {"type": "OutstandingLimitRoute", "target": "PoolRoute|A", "max_outstanding": most}
    host = Host("h:1", {b"a": b"1", b"b": b"2"}, holds=holds)
    return World({"pools": {"A": {"servers": ["h:1"]}}, "route": route}, {"h:1": host})


def asked(world):
    """The keys that the host was asked for by now."""
    return b" ".join(key for data in world.hosts["h:1"].asked for key in request(data).names()).decode()


def gets(world, *keys):
    """Asks for each key."""
    return [world.ask(b"get %b\r\n" % key.encode()) for key in keys]


@pytest.mark.parametrize(("most", "expected"), [(1, "a"), (2, "a b"), (3, "a b c"), (4, "a b c"), (0, "a b c")])
def test_how_many_are_asked_at_once(most, expected):
    limited = world(most)
    gets(limited, "a", "b", "c")
    assert asked(limited) == expected


def test_each_answer_lets_the_next_one_go():
    limited = world(1)
    sinks = gets(limited, "a", "b", "c")
    for count, expected in enumerate(["a b", "a b c", "a b c"], 1):
        limited.hosts["h:1"].answer()
        assert asked(limited) == expected
        assert [sink.got is not None for sink in sinks] == [True] * count + [False] * (3 - count)
    gets(limited, "d")
    assert asked(limited) == "a b c d"


def test_failures_pass_and_make_room():
    limited = world(1)
    sinks = gets(limited, "a", "b")
    limited.hosts["h:1"].fail()
    assert sinks[0].got == limited.hosts["h:1"].failure()
    assert asked(limited) == "a b"


def test_an_unhealthy_host_keeps_nobody_waiting():
    limited = world(1)
    sinks = gets(limited, "a", "b", "c")
    limited.set_health("h:1", False)
    limited.hosts["h:1"].fail()
    assert [sink.got[1] for sink in sinks] == [o.TIMEOUT, o.TKO, o.TKO]


def test_many_that_wait_for_a_host_that_answers_at_once():
    limited = world(1)
    sinks = gets(limited, *(["a"] * 5000))
    limited.hosts["h:1"].holds = False
    limited.hosts["h:1"].answer()
    assert all(sink.got == hit(b"a", b"1") for sink in sinks)


def test_each_client_has_its_turn(monkeypatch):
    limited = world(1)
    host = limited.hosts["h:1"]
    monkeypatch.setattr(Host, "send", send_for_anybody)
    for keys in ("abcd", "ef", "g"):
        monkeypatch.setattr(script, "CLIENT", Client())
        gets(limited, *keys)
    for _ in range(7):
        host.answer()
    assert asked(limited) == "a b e g c f d"


def send_for_anybody(self, request, sink, since=None):
    """As Host.send, of a host that several clients ask."""
    self.asked.append(request.data)
    self._pending.append((request, sink))


def test_a_client_that_waits_is_not_overtaken_by_its_smaller_requests():
    limited = world(3)
    gets(limited, "a", "b", "c d", "e")
    assert asked(limited) == "a b"
    limited.hosts["h:1"].answer()
    assert asked(limited) == "a b c d"
    limited.hosts["h:1"].answer()
    assert asked(limited) == "a b c d e"


SIZES = [
    (b"get a b\r\n", "a b", block(b"a", b"1") + block(b"b", b"2") + b"END\r\n", o.VALUE),
    (b"get a\r\nget b\r\n", "a b", hit(b"a", b"1")[0] + hit(b"b", b"2")[0], o.VALUE * 2),
]


@pytest.mark.parametrize(("data", "keys", "reply", "outcomes"), SIZES)
@pytest.mark.parametrize(("most", "before"), [(2, 1), (1, 1), (3, 2)])
def test_each_key_and_each_command_counts(data, keys, reply, outcomes, most, before):
    limited = world(most)
    gets(limited, *(["x"] * before))
    sink = limited.ask(data)
    assert asked(limited) == "x " * (before - 1) + "x"
    limited.hosts["h:1"].answer()
    if before == 2:
        assert asked(limited) == f"x x {keys}"
        limited.hosts["h:1"].answer()
    limited.hosts["h:1"].answer()
    assert sink.got == (reply, outcomes)


def test_all_commands_count_together_and_stay_in_order():
    limited = world(1)
    for data in (b"get a\r\n", b"set b 0 0 1\r\nx\r\n", b"delete c\r\n"):
        limited.ask(data)
    for expected in ("a", "a b", "a b c"):
        assert asked(limited) == expected
        limited.hosts["h:1"].answer()
    assert all(limited.route(verb).may_ask_another_host for verb in (b"get", b"set", b"delete"))


def test_a_large_value_does_not_wait():
    limited = world(1)
    gets(limited, "a")
    large = request(b"set b 0 0 1\r\nx\r\n")
    large.large_value = object()
    limited.route(b"set").start(large, Sink())
    gets(limited, "c")
    assert asked(limited) == "a b"
    limited.hosts["h:1"].answer()
    assert asked(limited) == "a b"
    limited.hosts["h:1"].answer()
    assert asked(limited) == "a b c"


def test_without_a_limit_it_has_no_part():
    assert "OutstandingLimitRoute" not in world(0).handles(b"get")
    assert "OutstandingLimitRoute" in world(1).handles(b"get")


def test_with_an_ordered_pool():
    seed = World({"orderedPool": ["h:1"], "route": {"type": "OutstandingLimitRoute", "max_outstanding": 1}})
    assert seed.answer(b"set a 0 0 1\r\nx\r\n") == STORED
    assert seed.route(b"get").describe(request(b"get a\r\n"))[0] == "at most 1 at once"


def test_each_server_of_a_pool_has_its_own_limit():
    route = {"type": "PoolRoute", "pool": "A", "max_outstanding": 1, "hash": "Crc32"}
    hosts = {name: Host(name, holds=True) for name in ("a:1", "b:1")}
    pool = World({"pools": {"A": {"servers": ["a:1", "b:1"]}}, "route": route}, hosts)
    gets(pool, *"abcdefgh")
    assert [len(host.asked) for host in hosts.values()] == [1, 1]


def test_errors():
    with pytest.raises(ConfigError) as error:
        world(-1)
    wrong = "max_outstanding of OutstandingLimitRoute is invalid; write a whole number from 0 to "
    assert error.value.message.startswith(wrong)
    with pytest.raises(ConfigError) as error:
        World({"pools": {"A": {"servers": ["h:1"]}}, "route": "OutstandingLimitRoute|PoolRoute|A"})
    assert error.value.message == "OutstandingLimitRoute without max_outstanding; add max_outstanding"

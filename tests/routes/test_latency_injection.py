"""LatencyInjectionRoute: the table of its docstring."""

import pytest

from mcrouter.config import ConfigError
from mcrouter.proto import outcomes as o

from .script import Host, Sink, hit, request
from .world import World

HIT = hit(b"a", b"1")
GET = b"get a\r\n"


def world(options, holds=False):
    """A host behind the delays."""
    route = {"type": "LatencyInjectionRoute", "child": "PoolRoute|A", **options}
    return World(
        {"pools": {"A": {"servers": ["h:1"]}}, "route": route}, {"h:1": Host("h:1", {b"a": b"1"}, holds=holds)}
    )


def before(ms):
    """The option."""
    return {"before_latency_ms": ms}


def after(ms):
    """The option."""
    return {"after_latency_ms": ms}


def total(ms):
    """The option."""
    return {"total_latency_ms": ms}


# options, how long the host takes; when it is asked and when the client has its answer, all in ms
DELAYS = [
    (before(1000), 0, 1000, 1000),
    (before(1000), 500, 1000, 1500),
    (after(1000), 0, 0, 1000),
    (after(1000), 500, 0, 1500),
    (total(1000), 0, 0, 1000),
    (total(1000), 500, 0, 1000),
    (total(1000), 1500, 0, 1500),
    ({**before(500), **after(1000)}, 125, 500, 1625),
    ({**before(500), **total(1000)}, 125, 500, 1000),
    ({**after(500), **total(1000)}, 125, 0, 1000),
    ({**after(1000), **total(1000)}, 125, 0, 1125),
]


@pytest.mark.parametrize(("options", "takes", "asked", "answered"), DELAYS)
def test_delays(options, takes, asked, answered):
    slow = world(options, holds=True)
    host, times = slow.hosts["h:1"], {}
    sink = slow.ask(GET)
    for ms in range(0, 3000, 125):
        if host.asked and "asked" not in times:
            times["asked"] = ms
        if "asked" in times and ms - times["asked"] == takes:
            host.answer()
        if sink.got is not None:
            times.setdefault("answered", ms)
        slow.pass_time(0.125)
    assert times == {"asked": asked, "answered": answered}
    assert sink.got == HIT


def test_failures_are_as_slow():
    slow = world(after(100), holds=True)
    sink = slow.ask(GET)
    slow.hosts["h:1"].fail()
    assert sink.got is None
    slow.pass_time(0.1)
    assert sink.got == slow.hosts["h:1"].failure()


def test_a_clients_requests_stay_in_order():
    slow = world(before(100))
    requests = [b"set a 0 0 1\r\nx\r\n", GET, b"delete a\r\n"]
    for data in requests:
        slow.ask(data)
    assert slow.asked() == {}
    slow.pass_time(0.1)
    assert slow.asked() == {"h:1": requests}
    assert slow.route(b"set").may_ask_another_host


def test_a_large_value_passes_at_once():
    slow = world({**before(100), **after(100)})
    large, sink = request(GET), Sink()
    large.large_value = object()
    slow.route(b"get").start(large, sink)
    assert sink.got == HIT


def test_a_run_and_a_get_of_several_keys():
    slow = world(before(100))
    run, keys = slow.ask(GET + GET), slow.ask(b"get a b\r\n")
    slow.pass_time(0.1)
    assert run.got == (HIT[0] * 2, o.VALUE * 2)
    assert keys.got == (HIT[0], o.PARTIAL)


@pytest.mark.parametrize("options", [{}, before(0), {**after(0), **total(0)}])
def test_without_a_delay_it_has_no_part(options):
    assert "LatencyInjectionRoute" not in world(options).handles(b"get")
    assert "LatencyInjectionRoute" in world(total(1)).handles(b"get")


def test_with_an_ordered_pool():
    seed = World({"orderedPool": ["h:1"], "route": {"type": "LatencyInjectionRoute", **before(1)}})
    seed.ask(GET)
    seed.ask(b"version\r\n")
    assert seed.asked() == {"h:1": [b"version\r\n"]}
    assert seed.route(b"get").describe(request(GET))[0] == "waits 1 ms before, 0 ms after, 0 ms in all"


def test_options_without_a_meaning_here():
    assert len(world({"request_payload_latency": True}).config.warnings) == 1


@pytest.mark.parametrize("name", ["before_latency_ms", "after_latency_ms", "total_latency_ms"])
@pytest.mark.parametrize("value", [-1, "1", 1.5])
def test_errors(name, value):
    with pytest.raises(ConfigError) as error:
        world({name: value})
    assert error.value.message.startswith(
        f"{name} of LatencyInjectionRoute is invalid; write a whole number from 0 to "
    )


def test_without_a_child():
    with pytest.raises(ConfigError) as error:
        World({"pools": {"A": {"servers": ["h:1"]}}, "route": {"type": "LatencyInjectionRoute"}})
    assert error.value.message == "LatencyInjectionRoute without child; add child"

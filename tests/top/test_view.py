"""What `mcrouter top` shows, for any width and height."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcrouter.top.view import BAD, GOOD, SORTS, WARN, bars, lines, whole
from tests.status.test_page import busy, facts, host


def text(found):
    return ["".join(piece for piece, _ in line).rstrip() for line in found]


def shown(*hosts, width=200, height=50, **more):
    return text(lines(facts(*hosts), width, height, **more))


CHANGE = {"at": 86400.0, "host": "a:1", "from": "healthy", "to": "unhealthy", "why": "it takes no connections"}


def test_the_whole_of_it():
    config = {**facts()["config"], "last_error": {"at": 880.0, "text": "router.yaml:3:1: no"}}
    found = text(whole(facts(busy("cache1:11211"), host("b:1", "unhealthy", missed_writes=7), config=config, changes=[CHANGE]), 120))
    assert found[0].startswith("mcrouter 0.1.0  up 1 min 40 s, event loops: 2  ")
    assert found[1:4] == [
        "✕ 1 of 2 hosts healthy  12.3k requests/s, 3 clients  config for 1 min 30 s",
        "config refused 2 min ago: router.yaml:3:1: no",
        "",
    ]
    assert found[4:7] == [
        "host         state              req/s  errors    hits p50 ms p95 ms p99 ms conns missed  last minutes",
        "b:1          ✕ unhealthy 1 min      0       -       -      -      -      -     2      7",
        "cache1:11211 ● healthy 1 min    1,234   0.4 %  93.0 %   0.21    1.3     12     2      0   " + bars(busy()["history"]["requests_per_second"], 16, True).strip(),
    ]
    assert found[7] == "" and found[8].endswith("  a:1 healthy → unhealthy: it takes no connections")


def test_it_is_ascii_where_the_terminal_is():
    found = whole(facts(busy(), host("b:1", "rejoining"), changes=[CHANGE]), 200, is_utf8=False)
    assert "".join(text(found)).isascii()


WIDTHS = [
    (200, "req/s errors hits p50 ms p95 ms p99 ms conns missed last minutes"),
    (80, "req/s errors hits p99 ms last minutes"),
    (60, "req/s errors hits p99 ms"),
    (50, "req/s errors"),
    (40, "req/s"),
]


@pytest.mark.parametrize(("width", "columns"), WIDTHS)
def test_a_narrow_terminal_has_the_dearest_columns(width, columns):
    (head,) = [line for line in shown(host("a:1"), width=width) if line.startswith("host ")]
    assert " ".join(head.split()[2:]) == columns


@given(st.integers(1, 250), st.integers(1, 60), st.integers(0, 300), st.integers(0, 250))
def test_it_never_grows_out_of_the_terminal(width, height, count, first):
    hosts = [host(f"cache{number}:1", ["healthy", "unhealthy", "divided"][number % 3]) for number in range(count)]
    found = lines(facts(*hosts, changes=[CHANGE] * 3), width, height, "state", first)
    assert len(found) <= height and all(len(line) <= width for line in text(found))


def test_a_long_list_is_scrolled():
    hosts = [host(f"h{number}:1") for number in range(200)]
    found = shown(*hosts, height=30, first=0, sort="state")
    assert found[4].startswith("h0:1 ") and found[-1] == "hosts 1 to 25 of 200"
    found = shown(*hosts, height=30, first=100, sort="state")
    assert found[4].startswith("h100:1 ") and found[-1] == "hosts 101 to 125 of 200"
    assert shown(*hosts, height=30, first=1000, sort="state")[-1] == "hosts 176 to 200 of 200"


ORDERS = [
    ("state", ["bad", "busy", "slow", "idle"]),
    ("host", ["bad", "busy", "idle", "slow"]),
    ("rate", ["busy", "slow", "bad", "idle"]),
    ("errors", ["slow", "busy", "bad", "idle"]),
    ("latency", ["slow", "busy", "bad", "idle"]),
]


@pytest.mark.parametrize(("sort", "order"), ORDERS)
def test_an_order(sort, order):
    hosts = [
        host("busy", requests_per_second=9.0, error_rate=0.1, p99=1.0),
        host("slow", requests_per_second=2.0, error_rate=0.5, p99=90.0),
        host("bad", "unhealthy"),
        host("idle"),
    ]
    found = shown(*hosts, sort=sort)
    assert [line.split()[0] for line in found[4:8]] == order
    assert set(SORTS) == {name for name, _ in ORDERS}


@pytest.mark.parametrize(("state", "style"), [("healthy", GOOD), ("unhealthy", BAD), ("divided", WARN), ("rejoining", WARN)])
def test_a_state_has_its_colour_and_its_word(state, style):
    row = lines(facts(host("a:1", state)), 100, 20)[4]
    assert (state in row[1][0], row[1][1]) == (True, style)


BARS = [
    ([], 4, "    "),
    ([None, None], 2, "  "),
    ([0.0, 4.0, 8.0], 4, " ▁▅█"),
    ([8.0, 8.0, 0.0, 0.0], 2, "█▁"),
    ([0.1, 0.1], 2, "▁▁"),  # little is drawn as little
    ([9.0, None, 8.0, 8.0], 4, "█ ██"),
]


@pytest.mark.parametrize(("values", "width", "drawn"), BARS)
def test_a_plot(values, width, drawn):
    assert bars(values, width, True) == drawn

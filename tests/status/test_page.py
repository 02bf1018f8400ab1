"""The page: whole, safe, without anything from elsewhere, for any number of hosts."""

import re
from html.parser import HTMLParser

import pytest

from mcrouter.status import words
from mcrouter.status.look import SCRIPT, STYLE
from mcrouter.status.page import page
from mcrouter.status.plots import sparkline

EMPTY = {"requests_per_second": [], "error_rate": [], "hit_rate": [], "p50": [], "p95": [], "p99": []}
NAN = {"error_rate": None, "hit_rate": None, "p50": None, "p95": None, "p99": None}
VOID = {"meta", "link", "br"}


def host(name="a:1", state="healthy", history=EMPTY, **more):
    known = {"host": name, "state": state, "since": 940.0, "why": None, "connections": 2, "missed_writes": 0, "journal_keys": 0}
    return {**known, "requests": 0, "errors": 0, "requests_per_second": 0.0, **NAN, "history": history, **more}


def facts(*hosts, **more):
    return {
        "version": "0.1.0", "name": "mcrouter", "now": 1000.0, "started": 900.0, "pid": 1, "loops": 2,
        "listen": ["tcp://127.0.0.1:8080"], "metrics": "127.0.0.1:9090",
        "clients": {"open": 3, "accepted": 17, "requests_per_second": 12345.6},
        "config": {"file": "/etc/router.yaml", "digest": "0" * 32, "since": 910.0, "failures": 0, "last_error": None},
        "window": 30.0, "interval": 5.0, "hosts": list(hosts), "changes": [], "routes": "get:\n  DefaultRoute", **more,
    }  # fmt: skip


def busy(name="a:1"):
    rates = [float(number % 7 * 100) for number in range(60)]
    history = {key: [value / 1000 for value in rates] for key in EMPTY}
    shown = {"error_rate": 0.004, "hit_rate": 0.93, "p50": 0.21, "p95": 1.3, "p99": 12.0}
    return host(name, history={**history, "requests_per_second": rates}, requests_per_second=1234.0, **shown)


class Reader(HTMLParser):
    """Raises where a tag is not closed; keeps the text, and every attribute that leads somewhere."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.led = [], [], []

    def handle_starttag(self, tag, attrs):
        self.led += [value for name, value in attrs if name in ("src", "href", "action", "data", "poster", "srcset")]
        assert not any(name == "style" or name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["style"], ["script"]):
            self.text.append(data)


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("count", [0, 1, 3, 200])
def test_it_is_whole_small_and_leads_nowhere_else(count):
    text = page(facts(*(busy(f"cache{number}.example:11211") for number in range(count))))
    reader = read(text)
    assert set(reader.led) == {"data:,", "/status.json", "/metrics"}
    assert "://" not in STYLE + SCRIPT and "url(" not in STYLE and "@import" not in STYLE
    assert text.count("://") == 1  # where it listens
    assert text.count("<tr>") == (count + 1 if count else 0)
    assert len(text.encode()) < 500_000


def test_it_may_load_nothing_but_itself():
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page(facts(host())))[1]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy and "*" not in policy


HOSTILE = '<script>alert(1)</script>"\'&'


def test_names_and_errors_are_text():
    error = {"at": 990.0, "text": HOSTILE}
    changes = [{"at": 950.0, "host": HOSTILE, "from": "healthy", "to": "unhealthy", "why": HOSTILE}]
    config = {**facts()["config"], "file": HOSTILE, "last_error": error}
    series = {**EMPTY, "requests_per_second": [1.0, 2.0]}
    shown = facts(host(HOSTILE, history=series, why=HOSTILE), name=HOSTILE, routes=HOSTILE, listen=[HOSTILE], changes=changes, config=config)
    text = page(shown)
    assert "<script>alert" not in text
    assert "".join(read(text).text).count("<script>alert(1)</script>") == 10


def test_what_is_wrong_with_a_host_is_said():
    change = {"at": 950.0, "host": "a:1", "from": "healthy", "to": "unhealthy", "why": "it takes no connections"}
    text = "".join(read(page(facts(host(state="unhealthy", why=change["why"]), changes=[change]))).text)
    assert "✕unhealthyfor 1 minit takes no connections" in text
    assert "a:1 healthy → unhealthy: it takes no connections" in text


VERDICTS = [
    ([], "○", "No host in the config"),
    (["healthy"], "●", "The host is healthy"),
    (["unhealthy"], "✕", "The host is not healthy"),
    (["healthy"] * 3, "●", "All 3 hosts are healthy"),
    (["healthy", "unhealthy"], "✕", "1 of 2 hosts is not healthy"),
    (["healthy", "divided", "rejoining"], "◑", "2 of 3 hosts are not healthy"),
    (["healthy", "rejoining"], "◐", "1 of 2 hosts is not healthy"),
    (["unhealthy"] * 2, "✕", "None of the 2 hosts is healthy"),
    (["unknown"] * 2, "○", "Starting"),
]


@pytest.mark.parametrize(("states", "mark", "sentence"), VERDICTS)
def test_it_says_first_how_things_are(states, mark, sentence):
    text = page(facts(*(host(f"{number}:1", state) for number, state in enumerate(states))))
    assert f"<b>{mark}</b>{sentence}</p>" in text
    assert f"<title>{mark} {sentence} - mcrouter</title>" in text


def test_what_is_wrong_comes_first():
    text = page(facts(host("fine:1"), host("odd:1", "divided"), host("dead:1", "unhealthy"), host("back:1", "rejoining")))
    places = [text.index(f'"host">{name}:1<') for name in ("dead", "odd", "back", "fine")]
    assert places == sorted(places)


def test_a_refused_config_is_told():
    config = {**facts()["config"], "last_error": {"at": 880.0, "text": "router.yaml:3:1: no"}}
    assert "was refused</b> 2 min ago; the previous one stays in effect.<code>router.yaml:3:1: no</code>" in page(facts(config=config))


def test_figures_have_a_place_and_a_name_each():
    text = "".join(read(page(facts(busy()))).text)
    for shown in ("1,234", "0.4 %", "93.0 %", "0.21", "1.3", "12", "healthyfor 1 min", "12.3k", "up for 1 min 40 s"):
        assert shown in text
    assert page(facts(busy())).count("<svg") == 4
    assert page(facts(*[busy()] * 30)).count("<svg") == 60  # in a long list only those that are no shares


def test_missed_writes_are_shown_where_there_are_any():
    assert "Missed writes" not in page(facts(host()))
    assert '<td data-name="Missed writes"><span class="n">1,200</span></td>' in page(facts(host(missed_writes=1200)))


PLOTS = [
    ([], "", ""),
    ([None, None], "", ""),
    ([0.0, 1.0, 2.0], "M0 22L60 12L120 2", "M0 22L60 12L120 2L120 24L0 24Z"),
    ([0.0, 2.0], "M60 22L120 2", "M60 22L120 2L120 24L60 24Z"),
    ([2.0, None, 1.0], "M0 2L30 2M90 12L120 12", "M0 2L30 2L30 24L0 24ZM90 12L120 12L120 24L90 24Z"),
    ([0.0, 0.0, 0.5], "M0 22L60 22L120 12", "M0 22L60 22L120 12L120 24L0 24Z"),  # little is drawn as little
]


@pytest.mark.parametrize(("values", "line", "area"), PLOTS)
def test_a_plot(values, line, area):
    drawn = sparkline(values, 3, 1.0, "said")
    assert re.findall(r' d="([^"]*)"', drawn) == [area, line]
    assert 'aria-label="said"' in drawn


WORDS = [
    (words.span, [(-1, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (200, "3 min 20 s"), (3600, "1 h"), (7300, "2 h 1 min"), (90000, "1 d 1 h"), (864000, "10 d")]),
    (words.number, [(0, "0"), (0.01, "<0.1"), (0.4, "0.4"), (3, "3"), (57.3, "57"), (1234, "1,234"), (9999, "9,999"), (12345, "12.3k"), (4_500_000, "4.5M")]),
    (words.share, [(None, "-"), (0, "0 %"), (1, "100 %"), (0.0004, "<0.1 %"), (0.9999, ">99.9 %"), (0.1234, "12.3 %")]),
    (words.ms, [(None, "-"), (0.123, "0.12"), (1.26, "1.3"), (12.4, "12"), (5000, "5,000")]),
]  # fmt: skip


@pytest.mark.parametrize(("say", "value", "expected"), [(say, *row) for say, rows in WORDS for row in rows])
def test_words(say, value, expected):
    assert say(value) == expected


def test_a_time_has_its_date_if_it_was_not_today():
    assert re.fullmatch(r"1970-01-\d\d \d\d:\d\d:\d\d", words.clock(86400.0))

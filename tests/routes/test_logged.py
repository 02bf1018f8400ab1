"""LoggingRoute: what it logs."""

import logging

import pytest

from mcrouter.config import ConfigError
from mcrouter.routes.logged import became

from .script import CLIENT_ERROR, DELETED, MISS, NOT_FOUND, SERVER_ERROR, STORED, Host, hit, request
from .world import World

LOGGER = "mcrouter.routes.logged"
SET = b"set a 0 0 1\r\nx\r\n"
RUN = b"get a\r\nget b\r\nset a 0 0 1\r\nx\r\n"


def world(**host):
    """A host behind the log."""
    config = {"pools": {"A": {"servers": ["h:1"]}}, "route": {"type": "LoggingRoute", "target": "PoolRoute|A"}}
    return World(config, {"h:1": Host("h:1", {b"a": b"1"}, **host)})


LINES = [
    (b"get a\r\n", hit(b"a", b"1"), "get 'a': hit, 0.0 ms"),
    (b"get b\r\n", MISS, "get 'b': miss, 0.0 ms"),
    (b"get b a\r\n", (hit(b"a", b"1")[0], b"P"), "get 'b' 'a': some hits, 0.0 ms"),
    (SET, STORED, "set 'a': stored, 0.0 ms"),
    (b"delete a\r\n", DELETED, "delete 'a': deleted, 0.0 ms"),
    (b"delete a\r\n", NOT_FOUND, "delete 'a': not found, 0.0 ms"),
    (b"delete a\r\n", SERVER_ERROR, "delete 'a': server error, 0.0 ms"),
    (b"delete a\r\n", CLIENT_ERROR, "delete 'a': client error, 0.0 ms"),
    (b"mg a v\r\n", (b"EN\r\n", b"E"), "mg 'a': miss, 0.0 ms"),
    (b"ms a 1\r\nx\r\n", (b"HD\r\n", b"H"), "ms 'a': ok, 0.0 ms"),
    (b"get \xff\xc3\xa9'\r\n", MISS, 'get "\\xff\\xc3\\xa9\'": miss, 0.0 ms'),
    (b"get %b\r\n" % (b"k" * 200), MISS, f"get '{'k' * 60}': miss, 0.0 ms"),
    (b"get%b\r\n" % (b" k" * 12), MISS, f"get{chr(32)}{' '.join(['%r' % 'k'] * 10)} and 2 more: miss, 0.0 ms"),
]


@pytest.mark.parametrize(("data", "answer", "line"), LINES)
def test_lines(caplog, data, answer, line):
    caplog.set_level(logging.INFO, LOGGER)
    assert world(says={data: answer}).answer(data) == answer
    assert [record.message for record in caplog.records] == [line]


def test_a_run_is_one_line(caplog):
    caplog.set_level(logging.INFO, LOGGER)
    seed = World({"orderedPool": ["h:1"], "route": "LoggingRoute"}, {"h:1": Host("h:1", {b"a": b"1"})})
    assert seed.built.plan == (True, True, True)
    assert seed.answer(RUN) == (hit(b"a", b"1")[0] + MISS[0] + STORED[0], b"VES")
    assert caplog.messages == ["get, set 'a' 'b' 'a': 1 hit and 1 miss and 1 stored, 0.0 ms"]


def test_a_failure_and_how_long_it_took(caplog):
    caplog.set_level(logging.INFO, LOGGER)
    logged = world(holds=True)
    sink = logged.ask(b"get a\r\n")
    assert caplog.messages == []
    logged.pass_time(1.0002)
    logged.hosts["h:1"].fail()
    assert sink.got == logged.hosts["h:1"].failure()
    assert caplog.messages == ["get 'a': timeout, 1000.2 ms"]


def test_an_unhealthy_host(caplog):
    caplog.set_level(logging.INFO, LOGGER)
    logged = world()
    logged.set_health("h:1", False)
    logged.answer(b"get a\r\n")
    assert caplog.messages == ["get 'a': unhealthy, 0.0 ms"]


def test_above_its_level_nothing_is_logged(caplog):
    caplog.set_level(logging.WARNING, LOGGER)
    assert world().answer(b"get a\r\n") == hit(b"a", b"1")
    assert caplog.messages == []


def test_it_has_no_part_in_what_is_about_no_key():
    seed = World({"orderedPool": ["h:1"], "route": "LoggingRoute"})
    assert "LoggingRoute" not in seed.handles(b"flush_all")
    assert seed.route(b"get").describe(request(b"get a\r\n"))[1][0][0] == "asked"


def test_every_outcome_has_its_words():
    assert became(b"VV") == "2 hit"
    assert became(b"V") == "hit"


def test_without_a_target():
    with pytest.raises(ConfigError) as error:
        World({"pools": {"A": {"servers": ["h:1"]}}, "route": {"type": "LoggingRoute"}})
    assert error.value.message == "LoggingRoute without target; add target"

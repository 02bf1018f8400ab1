"""Texts of others reach no terminal as they are: neither by errors and the log, nor by `mcrouter top`."""

import json
import logging

import pytest

from mcrouter import ConfigError, load_config
from mcrouter.cli.main import complain, main
from mcrouter.system.logs import OneLine
from mcrouter.system.printable import printable
from tests.status.test_page import facts, host
from tests.top.test_command import web

ESCAPE = "\x1b]0;owned\x07\r\n\x9b31m\u202e"
SHOWN = r"\x1b]0;owned\x07\r\n\x9b31m\u202e"


def test_what_a_terminal_would_obey_is_shown():
    assert printable(ESCAPE) == SHOWN and printable("a é ● \\x") == "a é ● \\x"


@pytest.mark.parametrize(
    "config",
    [
        {"pools": {ESCAPE: {"servers": ["a:1"], "inherit": ESCAPE}}, "route": f"PoolRoute|{ESCAPE}"},
        {"pools": {ESCAPE: 1}, "route": f"PoolRoute|{ESCAPE}"},
        {"pools": {"A": {"servers": ["a:1"]}}, "route": {"type": "HashRoute", ESCAPE: 1}},
    ],
)
def test_no_error_of_a_config_has_control_characters(config):
    with pytest.raises(ConfigError) as caught:
        load_config(json.dumps(config), "f")
    assert printable(str(caught.value)) == str(caught.value) and "owned" in str(caught.value)


def test_neither_has_an_error_of_the_command_nor_the_log(capsys):
    complain(ESCAPE, 2)
    assert capsys.readouterr().err == f"mcrouter: {SHOWN}\n"
    record = logging.LogRecord("mcrouter", logging.INFO, "", 0, "host %s", (ESCAPE,), None)
    assert OneLine("%(levelname)s %(message)s").format(record) == f"INFO host {SHOWN}"


def hostile(change):
    """A status, changed."""
    made = facts(host())
    change(made)
    return json.dumps(made).encode()


ODD = [
    b"{}", b"[]", b"null", b'{"hosts": 1}', b'{"hosts": [1]}', b"[" * 100_000, b"\xff", b'{"hosts": []}',
    *(hostile(change) for change in (
        lambda made: made.update(now="x"), lambda made: made.update(now=1e300), lambda made: made.update(now=float("nan")),
        lambda made: made.update(now=None), lambda made: made.update(clients=[]), lambda made: made.update(changes={}),
        lambda made: made["hosts"][0].update(state="x"), lambda made: made["hosts"][0].update(state=[]),
        lambda made: made["hosts"][0].update(p99="x"), lambda made: made["hosts"][0].update(history={}),
        lambda made: made["hosts"][0].update(connections=10**400), lambda made: made["config"].update(last_error=1),
    )),
]  # fmt: skip


@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
def test_top_says_that_an_odd_answer_is_no_routers(body, capsys):
    with web([(200, body)]) as port:
        assert main(["top", f"127.0.0.1:{port}", "--once"]) == 1
    assert "is not this router" in capsys.readouterr().err


def test_top_prints_no_escape_of_a_hostile_server(capsys):
    change = {"at": 1.0, "host": ESCAPE, "from": ESCAPE, "to": "healthy", "why": ESCAPE}
    body = hostile(lambda made: (made.update(name=ESCAPE, version=ESCAPE, changes=[change]), made["hosts"][0].update(host=ESCAPE)))
    with web([(200, body)]) as port:
        assert main(["top", f"127.0.0.1:{port}", "--once"]) == 0
    shown = capsys.readouterr().out
    assert SHOWN in shown and all(printable(line) == line for line in shown.split("\n"))

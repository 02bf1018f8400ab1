"""What the environment says: what no router and no service manager would say is one line, and no traceback."""

import json
import os
import subprocess
import sys

import pytest

from mcrouter.errors import RouterError
from mcrouter.server.processes.takeover import VARIABLE, activated, inherited
from mcrouter.settings import SettingsError
from tests.support.processes import DEADLINE, ROOT, config

NOTHING = {"listen": {}, "metrics": None, "link": None, "away": []}
WRONG = [
    "x", "[]", "1", "null", "[" * 100_000, '{"foo": 1}', json.dumps({"listen": []}), json.dumps({"listen": {"a": 3}}),
    *(json.dumps({**NOTHING, **wrong}) for wrong in (
        {"link": 77}, {"link": 2}, {"link": -1}, {"link": 1 << 70}, {"link": "x"}, {"metrics": 0}, {"metrics": [1]},
        {"listen": {"tcp://:1": [1]}}, {"listen": {"tcp://:1": [9999]}}, {"listen": {"tcp://:1": ["x"]}}, {"away": 1},
        {"away": [1]}, {"away": None},
    )),
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_what_no_router_leaves(monkeypatch, text):
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(RouterError, match=r"^the environment variable MCROUTER_TAKES_OVER is not from a router; unset it$"):
        inherited()
    assert VARIABLE not in os.environ


def test_a_router_that_is_left_nothing(monkeypatch):
    monkeypatch.setenv(VARIABLE, json.dumps(NOTHING))
    assert inherited()._asdict() == NOTHING


@pytest.mark.parametrize("count", ["99999999", "\u00b2", "\u0663", "-1", "x", "1e3"])
def test_what_no_service_manager_says(monkeypatch, count):
    monkeypatch.setenv("LISTEN_FDS", count)
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    with pytest.raises(SettingsError, match=r"invalid value .* for LISTEN_FDS: expected a whole number from 0 to 9999, or no such variable"):
        activated()
    monkeypatch.setenv("LISTEN_PID", "1")
    assert activated() == {}


def test_the_command_says_it_in_one_line(tmp_path):
    (tmp_path / "c.yaml").write_text(config(["127.0.0.1:1"], "DefaultRoute"))
    command = [sys.executable, "-m", "mcrouter", "-f", str(tmp_path / "c.yaml"), "-l", "tcp://127.0.0.1:0", "-L", "off"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, VARIABLE: "[]"}, capture_output=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (1, b"mcrouter: the environment variable MCROUTER_TAKES_OVER is not from a router; unset it\n")

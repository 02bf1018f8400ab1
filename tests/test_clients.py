"""The compatibility tool: the README's table has its clients, one of them is run, and what fails is told as it should be."""

import signal
import subprocess
import sys

import pytest
from benchmark.stage import Stage
from clients import HEADING, row
from compat.environments import PROGRAMS, Environment
from compat.runs import Result, run
from compat.table import BINARY, CLIENTS, NOTHING, TEXT, Client
from compat.targets import Target

from tests.support.processes import ROOT

LIMIT = 60.0  # seconds


@pytest.fixture
def stage():
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with Stage() as it:
        yield it
    for number, handler in handlers.items():
        signal.signal(number, handler)


def clients(*flags):
    command = [sys.executable, "-X", "dev", "-W", "error", str(ROOT / "tools" / "clients.py"), *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)


def test_the_readme_has_a_row_for_each_client():
    table = (ROOT / "README.md").read_text().split(f"\n{HEADING}\n")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert [(name, language, protocol) for name, _, language, protocol, _ in rows] == [
        (client.name, client.language, client.protocol) for client in CLIENTS
    ]


def test_every_client_has_its_program():
    for client in CLIENTS:
        words = " ".join((*client.words, *client.build)).replace("{programs}/", "").split()
        assert any((PROGRAMS / word).is_file() for word in words), client.name


def test_plain_sockets_pass_all_checks(tmp_path):
    done = clients("--only", "sockets", "--dir", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    heading, rule, line = done.stdout.splitlines()
    assert f"{heading}\n{rule}" == HEADING
    assert line.startswith("| sockets | 3.") and line.endswith(" | Python | text | 23 of 23 |")


def test_the_clients_are_listed_with_what_they_need():
    done = clients("--list")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, len(CLIENTS))
    assert "Django PyLibMCCache (Python, text): pip: django pylibmc\n" in done.stdout


def test_a_bad_flag_is_one_line():
    done = clients("--only", "telnet")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("clients: argument --only: invalid choice: 'telnet'") and done.stderr.count("\n") == 1


# A program that says of each check how it went on "ports" 0 (memcached itself), 1 and 2.
FAKE = """
import json, sys
print(json.dumps({{"version": "1.0"}}))
print("noise of a library")
for name, passes in {checks}.items():
    if passes[int(sys.argv[1])] is not None:
        print(json.dumps({{"check": name, "passed": passes[int(sys.argv[1])], "what": "wrong"}}))
"""
GOOD, ROUTER, CONTROL, UNREACHED = [True, True, True], [True, True, False], [False, True, True], [True, None, True]


@pytest.mark.parametrize(
    ("checks", "changes", "text", "good"),
    [
        ({"a": GOOD, "b": GOOD}, {}, "2 of 2", True),
        ({"a": GOOD, "b": CONTROL}, {}, "1 of 1", True),  # the client's own affair
        ({"a": GOOD, "b": ROUTER}, {}, "1 of 2: not b", False),
        ({"a": GOOD, "b": UNREACHED}, {}, "1 of 2: not b", False),
        ({"a": GOOD, "b": ROUTER}, {"differs": {"b": "says so"}}, "1 of 2: not b (says so)", True),
        ({"a": ROUTER, "b": ROUTER}, {"protocol": BINARY}, "0 of 2: the binary protocol is not spoken", True),
        ({}, {}, "does not run", False),
    ],
)
def test_what_fails_through_a_router_and_not_without_it_counts(tmp_path, stage, checks, changes, text, good):
    program = tmp_path / "fake.py"
    program.write_text(FAKE.format(checks=checks))
    client = Client("fake", "Python", TEXT, NOTHING, (), ("{python}", str(program)))._replace(**changes)
    targets = [Target(f"target {port}", port) for port in range(3)]
    result = run(client, Environment(client, tmp_path, False), targets, stage)
    assert (result.text, result.good, result.version) == (text, good, "1.0")
    if checks.get("b") == ROUTER and not changes:
        assert result.failed == {"b": "target 2: wrong"}


def test_what_cannot_be_installed_is_said_and_no_failure():
    result = Result(CLIENTS[0], missing="no network")
    assert result.good and row(result) == "| sockets | - | Python | text | not installable here |"


def test_a_folder_that_the_tool_has_not_made_is_left_alone(tmp_path, stage):
    (tmp_path / "sockets").mkdir()
    result = run(CLIENTS[0], Environment(CLIENTS[0], tmp_path, False), [], stage)
    assert result.missing == f"{tmp_path / 'sockets'} is somebody else's; --dir names another place"


def test_a_client_whose_package_is_not_there_cannot_be_installed(tmp_path, stage):
    client = Client("none", "C", TEXT, "apt", ("no-such-package",), ("none",))
    result = run(client, Environment(client, tmp_path, False), [], stage)
    assert result.missing.startswith("needs Debian's")

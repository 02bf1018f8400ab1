"""The completion scripts: they know every flag, and bash's does what it should."""

import re
import subprocess

import pytest

from mcrouter.cli.completion import SHELLS, commands
from mcrouter.cli.main import SUBCOMMANDS, main, make_parser
from mcrouter.settings import SETTINGS
from tests.support.processes import DEADLINE, ROOT


def script(shell, capsys):
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_every_flag_of_every_parser_is_in_it(shell, capsys):
    text = script(shell, capsys)
    names = [name for parser in (make_parser(), *(row.make_parser() for row in SUBCOMMANDS)) for name in parser._option_string_actions]
    assert len(names) > 60
    for name in names:
        shown = rf"-[ls] {name.lstrip('-')}\b" if shell == "fish" else re.escape(name) + r"\b"
        assert re.search(shown, text), name
    for row in SUBCOMMANDS:
        assert re.search(rf"\b{row.name}\b", text)
    assert len(commands()[""]) > len(SETTINGS)


def complete(text, tmp_path, *words):
    """What bash offers."""
    (tmp_path / "script").write_text(text)
    code = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _mcrouter; printf "%s\\n" "${COMPREPLY[@]}"'
    command = ["bash", "-c", code, "bash", str(tmp_path / "script"), "mcrouter", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=True)
    return set(done.stdout.split())


OFFERS = [
    (("--ti",), {"--timeout-ms", "--timeouts-until-tko"}),
    (("ex",), {"explain"}),
    (("-n", "2", "--log"), {"--log-level"}),
    (("--log-level", ""), {"debug", "info", "warning", "error"}),
    (("--error-style", "mem"), {"memcached"}),
    (("--validate-config", "r"), {"run"}),
    (("-f", "router.j"), {"router.json"}),
    (("--router-config", "router.j"), {"router.json"}),
    (("--async-dir", "mcrou"), {"mcrouter"}),
    (("-n", ""), set()),
    (("explain", "--j"), {"--json"}),
    (("explain", "--timeouts"), set()),
    (("graph", "router.j"), {"router.json"}),
    (("graph", "--d"), {"--dot"}),
    (("top", "--sort", "la"), {"latency"}),
    (("completion", ""), {"bash", "zsh", "fish"}),
]


@pytest.mark.parametrize(("words", "offered"), OFFERS, ids=lambda value: " ".join(value))
def test_bash_offers(words, offered, capsys, tmp_path):
    assert complete(script("bash", capsys), tmp_path, *words) == offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_quotes_are_closed(shell, capsys):
    for line in script(shell, capsys).splitlines():
        assert len(re.findall(r"(?<!\\)'", line.replace("'\\''", ""))) % 2 == 0, line


def test_another_shell_is_told(capsys):
    assert main(["completion", "tcsh"]) == 2
    message = "invalid value 'tcsh' for SHELL: expected one of bash, fish, zsh; --help lists the flags"
    assert capsys.readouterr().err == f"mcrouter completion: {message}\n"

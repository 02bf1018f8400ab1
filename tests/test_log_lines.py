"""The README's table of log lines is that of the code: what is logged at info and above is there, and nothing else."""

import ast
import re

import pytest

from tests.support.processes import ROOT
from tests.support.readme import README

LEVELS = {"info": "info", "warning": "warning", "error": "error", "exception": "error", "critical": "critical"}
ROW = re.compile(r"\| `(?P<line>[^`]+)` \| (?P<level>\w+) \| (?P<meaning>[^|]+) \| (?P<to_do>[^|]+) \|")
PLACE = re.compile(r"%[.\d]*[sdrf]")


def rows():
    """The README's: (line, level, what it means, what to do)."""
    section = README.split("\n## Log lines\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    found = [ROW.fullmatch(line) for line in lines]
    assert all(found), "a row of the table of log lines is not: | `line` | level | meaning | what to do |"
    return [match.groups() for match in found]


def logged():
    """The code's: (line with … for what changes, level), and where."""
    for path in sorted(ROOT.joinpath("mcrouter").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr in LEVELS and ast.unparse(node.func.value).lower().endswith(("log", "logger")):
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                text = node.args[0]
                assert isinstance(text, ast.Constant), f"{where}: the log line is no constant: nobody can look it up"
                yield (PLACE.sub("…", text.value).replace("%%", "%"), LEVELS[node.func.attr]), where


IN_CODE = dict(logged())
IN_README = [(line, level) for line, level, _, _ in rows()]


@pytest.mark.parametrize("line", IN_CODE, ids=lambda line: line[0])
def test_each_line_is_in_the_readme(line):
    assert line in IN_README, f"{IN_CODE[line]} logs what the README's table of log lines has not"


def test_the_readme_has_no_other_line_and_none_twice():
    assert sorted(IN_README) == sorted(IN_CODE)


def test_each_line_says_more_than_what_changes():
    """Else the table could not tell it from others."""
    assert [line for line, _ in IN_CODE if len(re.findall(r"[a-z]{2,}", line)) < 2 and line != "…: …, … ms"] == []

"""The mutation run over a tiny package: what it changes, what it leaves alone, and how it judges."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from mutants import make_parser, run
from mutation.equivalent import ANY, LIST, EntryError, parse
from mutation.operators import find, mutate
from mutation.run import draw
from mutation.tables import PACKAGE

from tests.simulation.knobs import KNOBS
from tests.support.processes import ROOT

LIMIT = 60.0  # seconds

THING = '''\
"""A thing."""

import logging

logger = logging.getLogger(__name__)


def is_large(size):
    """More than ten."""
    if size < 0:
        raise ValueError(f"{size} is less than 0")
    logger.debug("asked for %d", 1)
    return size > 10


def spin(count):
    turns = 0
    while count > 0:
        count, turns = count - 1, turns + 1
    return turns


def unseen(a):
    return a + a
'''
TESTS = """
import pytest
from mcrouter.proto.thing import is_large, spin

def test_it_is_large():
    assert is_large(12) and not is_large(0)
    with pytest.raises(ValueError):
        is_large(-1)

def test_it_ends():
    assert spin(3) == 3
"""
EQUIVALENT = """\
# what nobody could see

proto/thing.py
while count > 0:
count > 0 -> count >= 0
It is a lie,
but in two lines.

proto/thing.py in unseen
return a + a
a + a -> a - a
No test calls it.

proto/thing.py in spin
return a + a
return a + a -> return None
It is in another function.

proto/gone.py
x = 1
1 -> 2
It is not there any more.
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository with one file and its test; what hangs is found in a second."""
    monkeypatch.setattr("mutation.run._LEAST", 1.0)
    for path, text in {"mcrouter/proto/thing.py": THING, "tests/proto/test_thing.py": TESTS, "equivalent.txt": EQUIVALENT,
                       "mcrouter/__init__.py": "", "mcrouter/proto/__init__.py": ""}.items():  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def run_in(root, *flags):
    args = ["--root", str(root), "--equivalent", str(root / "equivalent.txt"), "--seed", "1", *flags]
    return run(make_parser().parse_args(args))


def test_what_no_test_notices_survives(root, capsys):
    assert run_in(root) == 1
    lines = capsys.readouterr().out.splitlines()
    (place,) = (at for at, line in enumerate(lines) if line.startswith("seed 1, "))
    assert lines[:place] == [
        "equivalent.txt: no such mutant any more: proto/thing.py in spin: return a + a -> return None",
        "equivalent.txt: no such mutant any more: proto/gone.py: 1 -> 2",
    ]
    assert [line for line in lines if line.startswith("survived: ")] == [
        "survived: mcrouter/proto/thing.py:13: size > 10 -> size >= 10",
        "survived: mcrouter/proto/thing.py:13: size > 10 -> size > 11",
        "survived: mcrouter/proto/thing.py:13: size > 10 -> size > 9",
        "survived: mcrouter/proto/thing.py:24: return a + a -> return None",
    ]
    assert any("equivalent mcrouter/proto/thing.py:18: count > 0 -> count >= 0 (It is a lie, but in two lines." in line for line in lines)
    assert (root / "mcrouter" / "proto" / "thing.py").read_text() == THING


def test_a_mutant_that_does_not_end_is_killed(root, capsys):
    assert run_in(root, "--only", "mcrouter/proto/thing.py:19") == 0
    out = capsys.readouterr().out
    assert "killed mcrouter/proto/thing.py:19: count - 1 -> count + 1" in out


def test_when_its_time_is_over_it_says_how_far_it_has_come(root, capsys):
    assert run_in(root, "--seconds", "0.001") == 0
    assert " judged: 0 killed, 0 survived, 2 equivalent; 0.0 % of those" in capsys.readouterr().out


def test_tests_that_fail_anyway_are_not_asked(root, capsys):
    tests = root / "tests" / "proto" / "test_thing.py"
    tests.write_text(TESTS + "\n\ndef test_fails():\n    assert not is_large(12)\n")
    assert run_in(root, "--only", "mcrouter/proto/thing.py:13") == 1
    assert "SURVIVED mcrouter/proto/thing.py:13: size > 10 -> size >= 10 (1 tests reach it" in capsys.readouterr().out


def changes(source):
    return [mutant.change for mutant in find("mcrouter/x.py", source)]


@pytest.mark.parametrize(("source", "expected"), [
    ("a < b <= c", ["a < b <= c -> a <= b <= c", "a < b <= c -> a < b < c"]),
    ("x = a and b", ["a and b -> a or b"]),
    ("x = not a", ["not a -> a"]),
    ("x = [True, None]", ["[True, None] -> [False, None]"]),
    ("x = 5", ["x = 5 -> x = 6", "x = 5 -> x = 4"]),
    ("x = a[1:b]", ["a[1:b] -> a[1:b + 1]", "1:b -> 2:b", "1:b -> 0:b"]),
    ("x = min(a, b)", ["min(a, b) -> max(a, b)"]),
    ("x = a % b", ["a % b -> a * b"]),
    ("f(a)", ["f(a) -> pass"]),
    ("a.b = c", ["a.b = c -> pass"]),
    ("a += b", ["a += b -> a -= b"]),
    ("a.b += c", ["a.b += c -> a.b -= c", "a.b += c -> pass"]),
    ("if a:\n    b", ["if a -> if not a"]),
    ("x = a if b else c", ["a if b else c -> a if not b else c"]),
    ("def f():\n    return a", ["return a -> return None"]),
    ("while f(a):\n    break", ["while f(a) -> while not f(a)", "break -> continue"]),
])  # fmt: skip
def test_what_is_changed(source, expected):
    if "1:b" in source:
        expected = [one.replace("a[1:b] -> a[1:b + 1]", "1:b -> 1:b + 1") for one in expected]
    assert changes(source) == expected


@pytest.mark.parametrize("source", [
    '"""A text."""', "import a", "raise ValueError(1)", "assert a == 1", "logger.info('%d', 1)", "x = 'a'", "x = b'%d' % a",
    "x = f'{a + 1}'", "__slots__ = (1,)", "def __repr__(self):\n    return a", "def f(a: Literal[1]) -> Literal[2]: pass",
    "x: Literal[1] = y", "if TYPE_CHECKING:\n    f()", "def f():\n    return None", "class A:\n    def __init__(self, b):\n        self.b = b",
])  # fmt: skip
def test_what_is_left_alone(source):
    assert changes(source) == []


def test_each_mutant_differs_from_the_source_in_its_place_alone():
    original = ast.unparse(ast.parse(THING)).splitlines()
    found = find("mcrouter/proto/thing.py", THING)
    assert len(found) > 15
    for mutant in found:
        assert sum(one != other for one, other in zip(mutate(THING, mutant).splitlines(), original)) == 1, mutant


def test_one_seed_draws_one_sample():
    found = find("mcrouter/proto/thing.py", THING)
    assert draw(found, 5, "1") == draw(found, 5, "1") != draw(found, 5, "2")
    assert draw(found, 1000, "1") == found


def test_an_entry_without_a_reason_is_an_error():
    with pytest.raises(EntryError, match=r"'proto/x.py' begins no entry"):
        parse("proto/x.py\nx = 1\n1 -> 2\n")


def test_the_list_of_equivalent_mutants_names_only_what_is_there():
    command = [sys.executable, "-X", "dev", "-W", "error", str(ROOT / "tools" / "mutants.py"), "--list", "--sample", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("seed ") and len(done.stdout.splitlines()) == 2


def test_all_changes_of_a_line_are_equivalent_only_where_the_simulated_runs_draw_it():
    drawn = {(Path(module.__file__).relative_to(ROOT / PACKAGE).as_posix(), knob.name)
             for knob in KNOBS for module in knob.modules}  # fmt: skip
    entries = {(entry.path, entry.text.split(" = ")[0]) for entry in parse(LIST.read_text()) if entry.change == ANY}
    assert entries == {(path, name) for path, name in drawn if f"\n{name} = " in (ROOT / PACKAGE / path).read_text()}


@pytest.mark.parametrize(("flags", "message"), [
    (["--sample", "0"], "argument --sample: '0' is not a number above 0; --help lists the flags"),
    (["--only", "mcrouter/nothing"], "there is nothing to mutate in mcrouter/nothing"),
])  # fmt: skip
def test_a_bad_flag_is_one_line(flags, message):
    command = [sys.executable, "-X", "dev", "-W", "error", str(ROOT / "tools" / "mutants.py"), *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode in (1, 2) and done.stderr == f"mutants: {message}\n"

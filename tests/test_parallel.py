"""`--processes`: what it reports is what one process would, and a process that dies is an error."""

import os
import subprocess
import sys

import pytest

from tests.support.processes import DEADLINE, ROOT

PASSES = "import os\ndef test_passes(tmp_path):\n    print('out of', os.getpid())\n"
FAILS = "import os\ndef test_fails():\n    print('said by', os.getpid())\n    assert 1 == 2\n"
SKIPS = "import pytest\ndef test_is_left_out():\n    pytest.skip('why')\n"
DIES = "import os\ndef test_dies():\n    os._exit(0)\n"


@pytest.fixture
def run(tmp_path):
    """Runs tests, given as texts of files, in three processes; returns the exit code and the output."""

    def run(*texts, flags=()):
        for number, text in enumerate(texts):
            (tmp_path / f"test_{number}.py").write_text(text)
        command = [sys.executable, "-m", "pytest", "-p", "tests.support.parallel", "--processes", "3", "-rs", *flags]
        done = subprocess.run([*command, "--rootdir", str(tmp_path), "-c", os.devnull, str(tmp_path)], text=True,
                              env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, timeout=DEADLINE)  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return run


def test_all_pass(run):
    code, output = run(*[PASSES] * 10)
    assert (code, "10 passed" in output) == (0, True), output


def test_what_fails_and_what_is_skipped_is_told_with_its_output(run):
    code, output = run(PASSES, FAILS, SKIPS, FAILS)
    assert code == 1
    assert "2 failed, 1 passed, 1 skipped" in output
    assert output.count("\nsaid by") == 2
    assert "test_2.py:3: why" in output
    assert "out of" not in output


def test_the_first_failure_may_end_the_run(run):
    code, output = run(*[FAILS] * 20, flags=("-x",))
    assert (code, "stopping after 1 failures" in output) == (1, True), output


def test_what_a_test_has_started_ends_with_it_when_it_is_cut_short(run, tmp_path):
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    sleeps = f"""
import pathlib, pytest, time
@pytest.fixture
def started():
    pathlib.Path({str(begun)!r}).touch()
    yield
    pathlib.Path({str(ended)!r}).touch()
def test_sleeps(started):
    time.sleep(1000)
"""
    fails = f"""
import pathlib, time
def test_fails():
    while not pathlib.Path({str(begun)!r}).exists():
        time.sleep(0.01)
    assert False
"""
    code, _ = run(sleeps, fails, flags=("-x",))
    assert code == 1
    assert ended.exists()


def test_a_process_that_dies_is_an_error_that_names_its_test(run):
    code, output = run(PASSES, DIES, PASSES)
    assert code == 1
    assert "a process of the tests has died, at test_1.py::test_dies" in output


def test_one_file_is_left_to_pytest_itself(run):
    assert run(PASSES)[0] == 0

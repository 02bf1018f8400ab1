"""Seeds of the simulated world, from SEED_FIRST on (1), SEEDS of each kind; each in a process of its own, for the
simulation replaces system calls before the engine binds them."""

import os
import re
import subprocess
import sys

import pytest

from tests.support.processes import ROOT

FIRST = os.environ.get("SEED_FIRST", "1")
COUNT = int(os.environ.get("SEEDS", "120"))
PATIENCE = 120.0  # seconds that a hundred seeds may take


def simulate(first, count, *args, **environment):
    """What it prints; the exit code must be 0."""
    command = [sys.executable, "-m", "tests.simulation", str(first), str(count), *args]
    env = {**os.environ, **environment}
    patience = PATIENCE * (1 + count / 100)
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=patience)
    assert done.returncode == 0, f"{' '.join(command[1:])}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("args", [[], ["--faults"]], ids=["strict", "faults"])
def test_every_client_gets_its_answers_and_nothing_is_left(args):
    assert f"{COUNT} seeds, " in simulate(FIRST, COUNT, *args)


@pytest.mark.parametrize("args", [[], ["--faults"]], ids=["strict", "faults"])
def test_the_same_seeds_give_the_same_runs(args):
    runs = [simulate(1, 20, *args, PYTHONHASHSEED=seed) for seed in ("1", "2")]
    one, other = (re.findall(r"^20 seeds, \d+ ticks, \d+ steps, digest \w+$", run, re.MULTILINE) for run in runs)
    assert one == other != []

"""Process facts: from a made-up /proc, from the real one, and without any."""

import os
import resource
import sys
import time

import pytest

from mcrouter.metrics.process import ProcessFacts, Usage, process_facts, usage

TICK, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
needs_proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")


def write_process(proc, pid, *, name, ticks, started, virtual, pages, fds):
    """A process as proc(5) shows it."""
    home = proc / str(pid)
    (home / "fd").mkdir(parents=True)
    for fd in range(fds):
        (home / "fd" / str(fd)).touch()
    fields = ["0"] * 53
    fields[1:4] = str(pid), f"({name})", "S"
    fields[10], fields[12] = "7", "2"
    fields[14], fields[15], fields[22], fields[23], fields[24] = map(str, (ticks, ticks * 2, started, virtual, pages))
    (home / "stat").write_text(" ".join(fields[1:]) + "\n")


def write_two(proc):
    (proc / "stat").write_text("cpu 1 2 3\nbtime 1700000000\n")
    common = {"ticks": TICK, "virtual": 1000, "pages": 3, "fds": 2}
    write_process(proc, os.getpid(), name="python3", started=50 * TICK, **common)
    write_process(proc, 99999999, name="a) b (R 1", started=40 * TICK, **common)


def test_facts_are_sums_over_the_processes(tmp_path):
    write_two(tmp_path)
    times = os.times()
    facts = process_facts([os.getpid(), 99999999, 88888888], str(tmp_path))  # the last one has just ended
    assert facts == ProcessFacts(
        cpu_seconds_total=pytest.approx(6.0 + times.children_user + times.children_system),
        resident_memory_bytes=6 * PAGE,
        virtual_memory_bytes=2000,
        start_time_seconds=1700000040.0,
        open_fds=4,
        max_fds=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    )


def test_usage_is_the_sum_over_those_that_live(tmp_path):
    write_two(tmp_path)
    found = usage([os.getpid(), 99999999, 88888888], str(tmp_path))
    assert found == Usage(user=2.0, system=4.0, virtual=2000, resident=6 * PAGE, minor_faults=14, major_faults=4)


def test_usage_without_proc_is_that_of_this_process(tmp_path):
    assert usage([os.getpid()], str(tmp_path)).resident > 0


def test_a_limit_may_be_none(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert process_facts([os.getpid()]).max_fds == float("inf")


@needs_proc
def test_the_real_proc():
    facts = process_facts([os.getpid()])
    assert all(value is not None and value > 0 for value in facts)
    assert facts.start_time_seconds <= time.time() + 2  # the boot's time is told in whole seconds
    assert facts.resident_memory_bytes < facts.virtual_memory_bytes
    assert facts.open_fds < facts.max_fds


def test_without_proc_it_tells_what_it_can(tmp_path):
    facts = process_facts([os.getpid()], str(tmp_path))
    assert facts.cpu_seconds_total > 0
    assert facts.start_time_seconds <= time.time()
    assert facts.virtual_memory_bytes is None
    assert facts.open_fds is None


@needs_proc
def test_cpu_time_never_goes_back_when_a_child_ends():
    ready, ready_child = os.pipe()
    pid = os.fork()
    if not pid:
        while time.process_time() < 0.1:
            pass
        os.write(ready_child, b".")
        os._exit(0)
    os.read(ready, 1)
    alive = process_facts([os.getpid(), pid]).cpu_seconds_total
    os.waitpid(pid, 0)
    for pids in ([os.getpid(), pid], [os.getpid()]):
        assert process_facts(pids).cpu_seconds_total >= alive
    os.close(ready)
    os.close(ready_child)

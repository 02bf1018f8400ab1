"""The writing side: where lines go, when a new file begins, and what goes wrong."""

import errno
import fcntl
import itertools
import logging
import os
import stat

import pytest

from mcrouter.spool.entry import SpoolEntry, parse_entry
from mcrouter.spool.writer import Spool

START = 1785578400.0  # a full hour
REFUSALS = "are lost, so hosts may serve stale values; let this process write to the directory, and check that the disk has space"


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def spool(tmp_path, clock):
    made = Spool(str(tmp_path / "spool"), "east", clock)
    yield made
    made.close()


def files(folder):
    return sorted((folder / "spool").glob("*/*"))


def keys(path):
    return [parse_entry(line).key for line in path.read_bytes().splitlines() if line]


def test_nothing_is_made_before_there_is_something_to_write(spool, tmp_path):
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_an_entry_is_a_line(spool, tmp_path, clock):
    assert spool.add("10.0.0.1", 11211, b"k\xff\n", "A")
    assert spool.add("/run/m.sock", 0, b"k2")
    (path,) = files(tmp_path)
    assert [parse_entry(line) for line in path.read_bytes().splitlines()] == [
        SpoolEntry(START, ("10.0.0.1", 11211), b"k\xff\n", "A"),
        SpoolEntry(START, ("/run/m.sock", 0), b"k2", ""),
    ]
    assert (spool.written, spool.failed) == (2, 0)


def test_the_umask_says_which_users_may_write_to_the_spool(spool, tmp_path):
    umask = os.umask(0o027)
    try:
        assert spool.add("h", 1, b"k")
    finally:
        os.umask(umask)
    (path,) = files(tmp_path)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


# After so many seconds: in the same file, in a new one, in a new directory.
TIMES = [(0, 1, 1), (900, 1, 1), (900.1, 2, 1), (3600, 2, 2), (-1, 2, 2), (-1000, 2, 2)]


@pytest.mark.parametrize(("later", "count", "hours"), TIMES)
def test_a_new_file_begins_after_a_quarter_of_an_hour_in_the_directory_of_its_hour(spool, tmp_path, clock, later, count, hours):
    assert spool.add("h", 1, b"k1")
    clock.now += later
    assert spool.add("h", 1, b"k2")
    found = files(tmp_path)
    assert (len(found), len({path.parent for path in found})) == (count, hours)
    assert sorted(key for path in found for key in keys(path)) == [b"k1", b"k2"]


def test_a_file_that_was_taken_is_left(spool, tmp_path):
    assert spool.add("h", 1, b"k1")
    (path,) = files(tmp_path)
    path.rename(tmp_path / "taken")
    assert spool.add("h", 1, b"k2")
    (new,) = files(tmp_path)
    assert (keys(tmp_path / "taken"), keys(new)) == ([b"k1"], [b"k2"])


def test_a_directory_that_a_replay_removes_is_made_again(spool, tmp_path, monkeypatch):
    removed = []

    def open_late(path, *args, really=os.open):
        if not removed and "-p" in path:
            removed.append(os.rmdir(os.path.dirname(path)))
        return really(path, *args)

    monkeypatch.setattr(os, "open", open_late)
    assert spool.add("h", 1, b"k")
    assert (len(removed), len(files(tmp_path))) == (1, 1)


def test_a_file_that_is_taken_before_anything_was_written_is_left(spool, tmp_path, monkeypatch):
    taken = []

    def open_and_lose(path, *args, really=os.open):
        file = really(path, *args)
        if not taken and "-p" in path:
            taken.append(os.rename(path, tmp_path / "taken"))
        return file

    monkeypatch.setattr(os, "open", open_and_lose)
    assert spool.add("h", 1, b"k")
    (new,) = files(tmp_path)
    assert (keys(tmp_path / "taken"), keys(new)) == ([], [b"k"])


def test_each_file_gone_at_once_is_a_failure_and_no_loop(spool, tmp_path, monkeypatch, caplog):
    def open_and_lose(path, *args, really=os.open):
        file = really(path, *args)
        os.unlink(path)
        return file

    monkeypatch.setattr(os, "open", open_and_lose)
    assert not spool.add("h", 1, b"k")
    assert "each new file is taken away at once" in logged(caplog)[0]


def test_it_never_waits_for_a_lock(spool, tmp_path):
    assert spool.add("h", 1, b"k1")
    (path,) = files(tmp_path)
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert spool.add("h", 1, b"k2")
    assert len(files(tmp_path)) == 2


def test_spools_of_one_process_and_one_second_have_files_of_their_own(spool, tmp_path, clock):
    other = Spool(str(tmp_path / "spool"), "east", clock)
    assert spool.add("h", 1, b"k1") and other.add("h", 1, b"k2")
    other.close()
    assert [keys(path) for path in files(tmp_path)] == [[b"k1"], [b"k2"]]


def test_a_forked_process_has_a_file_of_its_own(spool, tmp_path, monkeypatch):
    assert spool.add("h", 1, b"k1")
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert spool.add("h", 1, b"k2")
    assert sorted(keys(path) for path in files(tmp_path)) == [[b"k1"], [b"k2"]]
    assert [path for path in files(tmp_path) if "-p1-" in path.name]


def test_a_name_that_is_taken_by_another_container_is_passed_over(spool, tmp_path, monkeypatch):
    monkeypatch.setattr("mcrouter.spool.writer._opened_here", itertools.count())
    other = Spool(str(tmp_path / "spool"), "east", lambda: START)
    assert other.add("h", 1, b"k1")
    monkeypatch.setattr("mcrouter.spool.writer._opened_here", itertools.count())
    assert spool.add("h", 1, b"k2")
    other.close()
    assert [keys(path) for path in files(tmp_path)] == [[b"k1"], [b"k2"]]


def logged(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


def test_where_it_cannot_write_it_says_so_once(tmp_path, clock, caplog):
    (tmp_path / "file").write_bytes(b"")
    spool = Spool(str(tmp_path / "file"), "east", clock)
    assert [spool.add("h", 1, b"k") for _ in range(3)] == [False] * 3
    assert (spool.written, spool.failed) == (0, 3)
    assert logged(caplog) == [
        f"deletes that failed cannot be spooled to {tmp_path}/file: Not a directory; they {REFUSALS}"
    ]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EMFILE, errno.ENOSPC])
def test_a_file_that_cannot_be_opened(spool, tmp_path, monkeypatch, caplog, number):
    def refuse(path, *args):
        raise OSError(number, os.strerror(number), path)

    with monkeypatch.context() as refusing:
        refusing.setattr(os, "open", refuse)
        assert not spool.add("h", 1, b"k1")
        assert not spool.add("h", 1, b"k2")
    assert spool.add("h", 1, b"k3")
    assert [keys(path) for path in files(tmp_path)] == [[b"k3"]]
    assert len(logged(caplog)) == 1
    assert os.strerror(number) in logged(caplog)[0]


def test_a_full_disk_loses_what_it_must_and_no_more(spool, tmp_path, monkeypatch, caplog):
    space = [0]

    def write(file, data, really=os.write):
        room = space.pop(0) if space else len(data)
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return really(file, data[:room])

    monkeypatch.setattr(os, "write", write)
    space[:] = [1000, 20, 0, 1, 10, 1000]
    outcomes = [spool.add("h", 1, b"k%d" % n) for n in range(6)]
    assert outcomes == [True, False, False, False, False, True]
    (path,) = files(tmp_path)
    lines = path.read_bytes().splitlines()
    assert (parse_entry(lines[0]).key, parse_entry(lines[-1]).key) == (b"k0", b"k5")
    assert lines[1] == lines[0][:20]
    assert len(logged(caplog)) == 1


def test_a_directory_that_appears_is_used(tmp_path, clock):
    blocker = tmp_path / "spool"
    blocker.write_bytes(b"")
    spool = Spool(str(blocker), "east", clock)
    assert not spool.add("h", 1, b"k1")
    blocker.unlink()
    assert spool.add("h", 1, b"k2")
    spool.close()
    assert [keys(path) for path in files(tmp_path)] == [[b"k2"]]


def test_closed_is_not_the_end(spool, tmp_path):
    assert spool.add("h", 1, b"k1")
    spool.close()
    spool.close()
    assert spool.add("h", 1, b"k2")
    assert len(files(tmp_path)) == 2

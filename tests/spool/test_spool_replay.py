"""A pass over a spool: what is delivered goes, and what could not be stays."""

import os

import pytest

from mcrouter.spool.replay import BusyError, only_replay, replay, survey
from tests.spool.support import HOST, HOUR, LATER, OPENED, OTHER, Remembering, leave, line

GARBAGE = b"\0\0garbage\n"
TORN = line(b"torn")[:-9]
NOT_JSON = "this line is kept: it is not JSON, or is cut off; correct or remove it"


@pytest.fixture
def delivery():
    return Remembering()


def left(directory):
    """What the files hold, by name."""
    return {path.name.partition("east-")[2]: path.read_bytes() for path in sorted(directory.glob("*/*"))}


def test_all_delivered_nothing_left(tmp_path, delivery):
    leave(tmp_path, line(b"k1"), line(b"k2", OTHER))
    report = replay(str(tmp_path), delivery, LATER)
    assert delivery.got == {(HOST, b"k1"): 1, (OTHER, b"k2"): 1}
    assert (report.complete, report.delivered, report.problems) == (True, {HOST: 1, OTHER: 1}, [])
    assert list(tmp_path.iterdir()) == []


def test_an_hour_that_is_not_over_keeps_its_directory(tmp_path, delivery):
    leave(tmp_path, line(b"k1"))
    assert replay(str(tmp_path), delivery, OPENED + 1.0).complete
    assert [path.name for path in tmp_path.iterdir()] == [HOUR]
    assert left(tmp_path) == {}


# What a file holds; the hosts that are down; what is left of it.
STAYING = [
    ([line(b"k1"), line(b"k2", OTHER), line(b"k3")], {HOST}, [line(b"k1"), line(b"k3")]),
    ([line(b"k1"), line(b"k2", OTHER)], {HOST, OTHER}, [line(b"k1"), line(b"k2", OTHER)]),
    ([line(b"k1"), GARBAGE, line(b"k2", OTHER), TORN], {HOST}, [line(b"k1"), GARBAGE, TORN]),
    ([GARBAGE], set(), [GARBAGE]),
    ([TORN], set(), [TORN]),
    ([TORN, b"\n", line(b"k1")], set(), [TORN + b"\n"]),
    ([b"\n", b" \r\n"], set(), None),
    ([], set(), None),
    ([line(b"k1")[:-1]], set(), None),
    ([line(b"refused"), line(b"k1")], set(), [line(b"refused")]),
]


@pytest.mark.parametrize(("lines", "down", "rest"), STAYING, ids=range(len(STAYING)))
def test_what_cannot_be_delivered_stays_until_it_can(tmp_path, delivery, lines, down, rest):
    leave(tmp_path, *lines)
    delivery.down, delivery.refused = down, {b"refused"}
    for _ in range(2):
        report = replay(str(tmp_path), delivery, LATER)
        assert left(tmp_path) == ({"p1-0.replay1": b"".join(rest)} if rest else {})
        assert report.complete == (not rest)
    delivery.down, delivery.refused = set(), set()
    replay(str(tmp_path), delivery, LATER)
    assert set(delivery.got.values()) <= {1}


def test_damage_is_named_by_the_line_where_it_is_kept(tmp_path, delivery):
    path = leave(tmp_path, line(b"k1"), GARBAGE, line(b"k2"), TORN)
    taken = f"{path}.replay1"
    assert survey(str(tmp_path), LATER).problems == [f"{path}:2: {NOT_JSON}"]
    assert replay(str(tmp_path), delivery, LATER).problems == [f"{taken}:1: {NOT_JSON}", f"{taken}:2: {NOT_JSON}"]
    assert survey(str(tmp_path), LATER).problems == [f"{taken}:1: {NOT_JSON}", f"{taken}:2: {NOT_JSON}"]


def test_much_damage_is_counted(tmp_path, delivery):
    path = leave(tmp_path, *[GARBAGE] * 12)
    problems = replay(str(tmp_path), delivery, LATER).problems
    assert len(problems) == 11
    assert problems[-1] == f"{path}.replay1: 2 more lines like these are kept"


def test_a_file_of_many_chunks(tmp_path, delivery, monkeypatch):
    monkeypatch.setattr("mcrouter.spool.replay._CHUNK", 3)
    leave(tmp_path, *(line(b"k%d" % n, (HOST, OTHER)[n % 2]) for n in range(20)))
    delivery.down = {OTHER}
    report = replay(str(tmp_path), delivery, LATER)
    assert (report.delivered, report.left) == ({HOST: 10}, {OTHER: 10})
    assert left(tmp_path) == {"p1-0.replay1": b"".join(line(b"k%d" % n, OTHER) for n in range(1, 20, 2))}


def test_remains_are_not_overwritten_by_a_file_of_the_same_name(tmp_path, delivery):
    delivery.down = {HOST}
    for key in (b"k1", b"k2"):
        leave(tmp_path, line(key))
        replay(str(tmp_path), delivery, LATER)
    assert left(tmp_path) == {"p1-0.replay1": line(b"k1"), "p1-0.replay2": line(b"k2")}


def test_a_replay_that_was_killed_has_lost_nothing(tmp_path, delivery):
    leave(tmp_path, line(b"k1"), line(b"k2", OTHER), name="p1-0.replay1")
    leave(tmp_path, line(b"k2", OTHER)[:7], name="p1-0.replay1.rest")
    delivery.down = {OTHER}
    replay(str(tmp_path), delivery, LATER)
    assert left(tmp_path) == {"p1-0.replay1": line(b"k2", OTHER)}


def test_facebooks_files_wait_until_they_are_closed(tmp_path, delivery):
    path = leave(tmp_path, line(b"k1"), name="t7-0x7f0a")
    report = replay(str(tmp_path), delivery, OPENED + 960.0)
    assert report.problems == [
        f"{path}: it stays: facebook's mcrouter may still write to it; replay it when it is 16 minutes old"
    ]
    assert left(tmp_path) == {"t7-0x7f0a": line(b"k1")}
    assert replay(str(tmp_path), delivery, OPENED + 961.0).complete
    assert delivery.got == {(HOST, b"k1"): 1}


def test_the_oldest_file_is_first(tmp_path, delivery):
    got = []
    delivery.deliver = lambda address, keys: [not got.append(key) for key in keys]
    for age in (5, 9, 7):
        leave(tmp_path, line(b"k%d" % age), name=f"p{age}-0", age=age)
    replay(str(tmp_path), delivery, LATER)
    assert got == [b"k9", b"k7", b"k5"]


def test_what_is_none_of_the_spools_is_left_alone(tmp_path, delivery):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a").write_bytes(line(b"k1"))
    (tmp_path / "file").write_bytes(line(b"k1"))
    leave(tmp_path).with_name("README").write_bytes(line(b"k1"))
    assert replay(str(tmp_path), delivery, LATER).complete
    assert delivery.got == {}
    assert sorted(path.name for path in tmp_path.rglob("*")) == [HOUR, "README", "a", "file", "notes"]


def test_a_link_is_not_followed_and_stops_no_other_file(tmp_path, delivery):
    target = tmp_path / "target"
    target.write_bytes(line(b"k1"))
    link = leave(tmp_path, name="p2-0.replay1", age=9)
    link.unlink()
    link.symlink_to(target)
    leave(tmp_path, line(b"k2"))
    report = replay(str(tmp_path), delivery, LATER)
    assert (delivery.got, target.read_bytes()) == ({(HOST, b"k2"): 1}, line(b"k1"))
    assert report.problems == [
        f"{link}: Too many levels of symbolic links; it stays: let this user read and write there"
    ]


def test_a_pass_ends_between_files_when_asked(tmp_path, delivery):
    leave(tmp_path, line(b"k1"), age=9, name="p1-0")
    path = leave(tmp_path, line(b"k2"), name="p2-0")
    report = replay(str(tmp_path), delivery, LATER, lambda: bool(delivery.got))
    assert delivery.got == {(HOST, b"k1"): 1}
    assert report.problems == [f"{path}: it stays: the replay was stopped; run it again"]


def test_a_survey_changes_nothing(tmp_path):
    leave(tmp_path, line(b"k1"), line(b"k2", OTHER), TORN)
    leave(tmp_path, line(b"k3"), TORN, name="p2-0.replay1")
    before = left(tmp_path)
    report = survey(str(tmp_path), LATER)
    assert (report.left, report.delivered, len(report.problems)) == ({HOST: 2, OTHER: 1}, {}, 1)
    assert left(tmp_path) == before


def test_one_replay_at_a_time(tmp_path):
    busy = pytest.raises(BusyError, match=r"another replay is running on .*; wait for it, or end it first")
    with only_replay(str(tmp_path)), busy, only_replay(str(tmp_path)):
        pass
    with only_replay(str(tmp_path)):
        pass


def test_a_fifo_is_not_waited_for(tmp_path, delivery):
    path = leave(tmp_path, line(b"k1"), name="p2-0")
    os.mkfifo(path.with_name(path.name.replace("p2-0", "p1-0")))
    for report in (survey(str(tmp_path), LATER), replay(str(tmp_path), delivery, LATER)):
        assert len(report.problems) == 1 and "it is not a regular file; it stays" in report.problems[0]
    assert delivery.got == {(HOST, b"k1"): 1}

"""The names of a spool's directories and files."""

import time

import pytest

from mcrouter.spool.layout import SpoolFile, Writer, file_name, files_of, hour_is_over, hour_name, is_hour, plan

NOW = 1785579330.7
HOUR = "20260801T10-1785578400"
THEIRS = "20260801T101530-1785579330-unknown-libmcrouter-t4712-0x7f31a0c0"


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_names_are_made():
    assert hour_name(NOW) == HOUR
    assert file_name(NOW, "a/b c", 4711, 3) == "20260801T101530-1785579330-mcrouter-a_b_c-p4711-3"
    assert files_of(HOUR, [file_name(NOW, "east-1", 1, 2)])[0].opened == 1785579330


WRITERS = [
    ("20260801T101530-1785579330-mcrouter-east-p4711-0", Writer.OURS),
    ("20260801T101530-1785579330-mcrouter-east-p4711-0.replay1", Writer.TAKEN),
    (THEIRS, Writer.THEIRS),
    (THEIRS + ".replay12", Writer.TAKEN),
    ("20260801T101530-1785579330---t1-(nil)", Writer.THEIRS),
    (THEIRS + ".replay1.rest", None),
    (THEIRS + "~", None),
    ("x" + THEIRS, None),
    ("20260801T101530-x-mcrouter-east-p4711-0", None),
]


@pytest.mark.parametrize(("name", "writer"), WRITERS)
def test_a_name_says_who_may_be_writing(name, writer):
    assert files_of(HOUR, [name]) == ([SpoolFile(HOUR, name, 1785579330, writer)] if writer else [])


@pytest.mark.parametrize(("name", "is_one"), [(HOUR, True), ("20260801T10", False), (HOUR + "x", False), ("", False)])
def test_a_directory_of_an_hour(name, is_one):
    assert is_hour(name) == is_one


@pytest.mark.parametrize(("now", "over"), [(1785578400, False), (1785581999.9, False), (1785582000, True)])
def test_an_hour_ends(now, over):
    assert hour_is_over(HOUR, now) == over
    assert not hour_is_over("lost+found", now)


def test_the_oldest_is_first_and_what_facebooks_may_be_writing_waits():
    ours, taken, theirs = (SpoolFile(HOUR, f"f{n}", 1000 + n, writer) for n, writer in enumerate(Writer, 1))
    assert plan([theirs, ours, taken], 1003 + 960) == ([ours, taken], [theirs])
    assert plan([theirs, ours, taken], 1003 + 960.1) == ([ours, taken, theirs], [])

"""The chaos test: a round of it in every run of the tests, and that it notices what it is there for.

The long forms: `tools/chaos.py --rounds 30 --shards 2` and `tools/chaos.py --soak 10`.
"""

import subprocess
import sys

import pytest
from havoc.keys import OLDER, STALE, UNANSWERED, WRONG, Findings, Key
from havoc.operations import Append, Delete, Get, Increment, Store
from havoc.rounds import stale_values
from havoc.soak import Sample, compare
from havoc.wire import OutOfStep, Reply, Value, cut

from tests.support.processes import ROOT

LIMIT = 300.0  # seconds
OWNER, READER = 7, 8
STORED, DELETED, END, FAILED = (Reply(line, []) for line in (b"STORED", b"DELETED", b"END", b"SERVER_ERROR timeout"))


def chaos(*flags):
    command = [sys.executable, "-X", "dev", "-W", "error", str(ROOT / "tools" / "chaos.py"), *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)


@pytest.mark.parametrize("flags", [["--shards", "1"], ["--shards", "2"], ["--relay"]], ids=" ".join)
def test_a_round(flags):
    done = chaos("--rounds", "1", "--seed", "ci-8", *flags)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "writes that hosts missed: 0," not in done.stdout
    assert "wrong values: 0\nolder values read: 0\nstale after rejoin: 0\nrequests without an answer: 0\n" in done.stdout
    assert done.stdout.endswith("\npassed\n")


def test_a_bad_flag_is_one_line():
    done = chaos("--rounds", "none")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "chaos: argument --rounds: 'none' is not a number above 0; --help lists the flags\n"


def text_key():
    return Key(b"t", OWNER, ident=1, counts=False)


def number_key():
    return Key(b"n", OWNER, ident=2, counts=True)


def written(key, *steps):
    """The values of a key that is set, each acknowledged or not."""
    values = []
    for reply in steps:
        store = Store(key, 10)
        values.append(store.data.split(b"\r\n")[1])
        assert store.answered(reply) is None
    return values


def read(key, value, flags=OWNER, reader=OWNER):
    finding = Get([key], reader).answered(Reply(b"END", [Value(key.name, flags, value)]))
    return finding and finding.kind


@pytest.mark.parametrize("make", [text_key, number_key])
def test_a_read_gives_the_last_acknowledged_value_or_a_later_one_that_may_be(make):
    key = make()
    assert Get([key], OWNER).answered(END) is None
    first, second, third, fourth = written(key, STORED, STORED, FAILED, FAILED)
    assert [read(key, value) for value in (first, second, third, fourth)] == [OLDER, None, None, None]
    (fifth,) = written(key, STORED)
    assert [read(key, value) for value in (second, fourth, fifth)] == [OLDER, OLDER, None]
    assert Get([key], OWNER).answered(END) is None  # a cache may always miss


@pytest.mark.parametrize("make", [text_key, number_key])
def test_what_was_deleted_is_gone_unless_the_delete_failed(make):
    key = make()
    (value,) = written(key, STORED)
    assert Delete(key).answered(FAILED) is None
    assert read(key, value) is None
    assert Delete(key).answered(DELETED) is None
    assert read(key, value) == OLDER


def test_a_value_that_nobody_has_written_yet_is_wrong():
    key = text_key()
    future = Store(key, 10)
    assert read(key, future.data.split(b"\r\n")[1]) == WRONG


@pytest.mark.parametrize("reader", [OWNER, READER])
def test_foreign_and_torn_values_are_wrong_for_everybody(reader):
    key, other = text_key(), Key(b"other", OWNER, ident=3, counts=False)
    (value,), (foreign,) = written(key, STORED), written(other, STORED)
    assert read(key, value, reader=reader) is None
    assert read(key, value, flags=OWNER + 1, reader=reader) == WRONG
    for wrong in (foreign, value[:-1], value + b" ", value.replace(b"1.1", b"1:1"), b"", value + foreign):
        assert read(key, wrong, reader=reader) == WRONG
    assert read(number_key(), value, reader=reader) == WRONG


def test_a_foreign_reader_knows_nothing_of_age():
    key = text_key()
    first, _ = written(key, STORED, STORED)
    assert read(key, first, reader=READER) is None


def test_appends_and_incrs_follow_what_they_change():
    key = text_key()
    (value,) = written(key, STORED)
    append = Append(key, 5)
    tail = append.data.split(b"\r\n")[1]
    assert append.answered(FAILED) is None
    assert [read(key, some) for some in (value, value + tail, value + tail + tail)] == [None, None, WRONG]
    Delete(key).answered(DELETED)
    assert Append(key, 5).answered(STORED).kind == OLDER

    key = number_key()
    number = int(written(key, STORED)[0])
    assert Increment(key).answered(Reply(b"%d" % (number + 1), [])) is None
    assert read(key, b"%d" % number) == OLDER
    assert Increment(key).answered(Reply(b"%d" % (number + 3), [])).kind == WRONG  # done twice
    Delete(key).answered(DELETED)
    assert Increment(key).answered(Reply(b"%d" % (number + 4), [])).kind == OLDER


def test_a_get_is_answered_in_the_order_of_its_keys():
    one, two = text_key(), number_key()
    values = [Value(key.name, OWNER, written(key, STORED)[0]) for key in (one, two)]
    get = Get([one, two], OWNER)
    assert get.answered(Reply(b"END", values)) is get.answered(Reply(b"END", values[1:])) is None
    for wrong in (values[::-1], values + values, [Value(b"x", 0, b"")]):
        assert get.answered(Reply(b"END", wrong)).kind == WRONG
    assert get.answered(STORED).kind == WRONG
    assert Store(one, 1).answered(DELETED).kind == WRONG


def test_a_host_that_holds_what_was_replaced_is_stale():
    class FakeHost:
        name = "fake"

        def values(self, names):
            return [Value(name, OWNER, first) for name in names]

    key = text_key()
    first, _ = written(key, STORED, FAILED)
    assert stale_values(FakeHost(), [key]) == []
    written(key, STORED)
    assert [finding.kind for finding in stale_values(FakeHost(), [key])] == [STALE]


def test_replies_are_cut_wherever_the_bytes_end():
    data = b"VALUE a 3 4\r\nE\r\nD\r\nVALUE b 0 0\r\n\r\nEND\r\nSTORED\r\n"
    size = len(data) - len(b"STORED\r\n")
    assert all(cut(bytearray(data[:end])) is None for end in range(size))
    assert cut(bytearray(data)) == (Reply(b"END", [Value(b"a", 3, b"E\r\nD"), Value(b"b", 0, b"")]), size)
    for wrong in (b"VALUE a 3 1\r\nxEND\r\n", b"VALUE a\r\n", b"END\n", b"VALUE a 0 0\r\n\r\nSTORED\r\n", b"x" * 2000):
        with pytest.raises(OutOfStep):
            cut(bytearray(wrong))


def test_findings_are_counted_and_the_first_ones_shown():
    findings = Findings()
    key = text_key()
    first, _ = written(key, STORED, STORED)
    for findings.round in range(3, 20):
        findings.add(key.judge(first, OWNER))
        findings.add(None)
    assert (findings.counts[OLDER], findings.rounds[OLDER], len(findings.examples[OLDER])) == (17, 3, 5)
    assert findings.counts[UNANSWERED] == 0


@pytest.mark.parametrize(
    ("resident", "descriptors", "same"),
    [(30_000_000, 20, True), (34_900_000, 24, True), (35_300_000, 20, False), (30_000_000, 25, False)],
)
def test_a_soak_compares_the_smallest_of_its_first_and_last_rounds(resident, descriptors, same):
    before = [Sample(60.0 + n, n, 30_000_000 + n * 10**6, 20 + n) for n in range(20)]
    after = [Sample(90.0 + n, n, resident + (19 - n) * 10**6, descriptors + 19 - n) for n in range(20)]
    assert compare(before + after)[0] is same

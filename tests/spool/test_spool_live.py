"""Routers write while a replay runs: every entry arrives once, and none of a line that was not there to its end."""

import os
import subprocess
import sys
import time

from mcrouter.spool.replay import only_replay, replay
from tests.spool.support import HOST, Remembering
from tests.support.processes import DEADLINE, ROOT

ENTRIES = int(os.environ.get("CASES", "10000"))
WRITER = """
import sys
from mcrouter.spool.writer import Spool

directory, name, entries = sys.argv[1:]
spool = Spool(directory, name)
lost = [n for n in range(int(entries)) if not spool.add("10.0.0.1", 11211, b"%b-%d" % (name.encode(), n), "A" * (n % 300))]
sys.exit(len(lost))
"""


def test_no_entry_is_lost_or_torn(tmp_path):
    names = ["east", "west"]
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, name, str(ENTRIES)], cwd=ROOT) for name in names]
    delivery, takes = Remembering(), 0
    end = time.monotonic() + DEADLINE
    try:
        with only_replay(str(tmp_path)):
            running = True
            while running:
                assert time.monotonic() < end
                running = any(writer.poll() is None for writer in writers)  # before the pass that may be the last
                report = replay(str(tmp_path), delivery, time.time())
                assert report.complete, report.problems
                takes += bool(report.delivered)
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    assert [writer.returncode for writer in writers] == [0, 0]
    assert delivery.got == {(HOST, b"%b-%d" % (name.encode(), n)): 1 for name in names for n in range(ENTRIES)}
    assert takes > 2, "the replay came too late to meet the writers"

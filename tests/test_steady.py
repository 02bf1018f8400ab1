"""A step of the wall clock changes no duration."""

import ast
import time

from mcrouter.server.configs.reading import load_config
from mcrouter.server.inquiries import answer
from mcrouter.settings import Settings
from mcrouter.system.clock import unix_time
from tests.support.processes import ROOT

MAY_LOOK = {  # what goes by the time of the world, not by durations
    "system/clock.py", "routes/framework/context.py", "explain/dry.py", "metrics/process.py", "cli/replay.py", "spool/entry.py", "spool/layout.py", "spool/writer.py",
    "testing/store.py", "testing/stats.py",
}  # fmt: skip


def test_it_is_unix_time_that_does_not_step(monkeypatch):
    before = unix_time()
    assert abs(before - time.time()) < 60
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert unix_time() >= before


def test_the_age_of_a_config_is_never_negative(monkeypatch):
    since = unix_time()
    monkeypatch.setattr(time, "time", lambda: since - 3600)
    config = load_config('{"orderedPool": ["127.0.0.1:1"], "route": "NullRoute"}')
    assert 0 <= int(answer(b"__mcrouter__.config_age", config, since, Settings())) < 60


def test_nothing_else_looks_at_the_wall_clock():
    package = ROOT / "mcrouter"
    looks = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr == "time" and ast.unparse(node) == "time.time":
                looks.add(str(path.relative_to(package)))
    assert looks <= MAY_LOOK

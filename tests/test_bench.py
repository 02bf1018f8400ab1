"""The benchmark runs, checks what comes back, and says what it found; how fast anything was is not tested."""

import json
import subprocess
import sys

import pytest

from tests.support.processes import ROOT

SHORT = ("--rounds", "1", "--seconds", "0.3", "--clients", "4", "--python", sys.executable)
LIMIT = 300.0  # seconds


def bench(*flags):
    command = [sys.executable, "-X", "dev", "-W", "error", str(ROOT / "tools" / "bench.py"), *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)


def test_it_compares_the_router_with_memcached(tmp_path):
    path = tmp_path / "facts.json"
    done = bench("--case", "pipelined-100", "--rival", "direct", "--json", str(path), *SHORT)
    assert (done.returncode, done.stderr) == (0, "")
    about, heading, router, direct = done.stdout.splitlines()
    assert "rounds 1 of 0.3 s" in about
    assert heading.split()[:3] == ["case", "proxy", "requests/s"] and heading.endswith("(to direct)")
    assert router.split()[:2] == ["pipelined-100", "router"] and len(router.split()) == 13
    assert direct.split()[0] == "direct" and len(direct.split()) == 9

    facts = json.loads(path.read_text())
    assert facts["about"]["rounds"] == 1
    (case,) = facts["cases"]
    assert (case["case"], case["clients"], case["pipeline"], case["value_bytes"]) == ("pipelined-100", 4, 64, [100, 100])
    assert [(row["name"], row["ratios_to"]) for row in case["proxies"]] == [("router", "direct"), ("direct", None)]
    assert set(case["proxies"][0]["ratios"]) == {"cpu", "p50", "p99"} and case["proxies"][1]["ratios"] is None
    for row in case["proxies"]:
        assert len(row["rounds"]) == 1
        assert row["requests_per_s"] > 0 and row["rss_mb"] > 0 and row["p50_us"] <= row["p99_us"]


LIAR = """
import socketserver, sys
class Liar(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(b"END\\r\\n")  # right for what is not there
socketserver.ThreadingTCPServer.daemon_threads = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Liar).serve_forever()
"""


def test_a_wrong_reply_ends_the_run(tmp_path):
    (tmp_path / "liar.py").write_text(LIAR)
    rival = f"liar=SOME=thing {sys.executable} {tmp_path / 'liar.py'} {{port}}"
    done = bench("--case", "multiget", "--rival", rival, *SHORT)
    assert done.returncode == 1
    assert done.stderr.startswith("bench: liar, multiget: wrong reply: b'END\\r\\n' where b'VALUE v100-100_")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--rounds", "0"], "argument --rounds: '0' is not a number from 1 to 100"),
        (["--case", "nonsense"], "argument --case: invalid choice: 'nonsense'"),
        (["--rival", "nonsense"], "argument --rival: 'nonsense' is neither twemproxy, direct nor NAME=COMMAND"),
        (["--rival", "other=command {prt}"], "argument --rival: {prt} is not known; there are port, "),
        (["--rival", "other=command"], "argument --rival: 'other' must be told where to listen: {port}"),
        (["--rival", "direct", "--rival", "direct"], "two rivals have one name"),
    ],
)
def test_a_bad_flag_is_one_line(flags, message):
    done = bench(*flags)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"bench: {message}") and len(done.stderr.splitlines()) == 1


def test_a_rival_that_does_not_start_is_one_line():
    done = bench("--case", "10k", "--rival", f"other={sys.executable} -c 1/0 {{port}}", *SHORT)
    assert (done.returncode, done.stderr) == (1, "bench: other did not start: ZeroDivisionError: division by zero\n")


def test_it_measures_a_large_config():
    done = bench("--reload", "10", *SHORT)
    assert (done.returncode, done.stderr) == (0, "")
    _about, loaded, *reloads = done.stdout.splitlines()
    assert loaded.startswith("10 pools, ") and " handles: loaded in " in loaded
    assert len(reloads) == 3 and all(line.startswith("reload: the slowest get took ") for line in reloads)

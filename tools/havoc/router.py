"""The router as a process, and what can be seen of it from outside."""

import json
import re
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Dict, List, Sequence

from benchmark.stage import Stage, accepts, descendants, free_port, open_descriptors, resident_bytes

from .keys import LOGGED, LOST, NOT_BACK, Finding, Findings

ROOT = Path(__file__).resolve().parent.parent.parent
TIMEOUT, INTERVAL = 0.2, 0.2  # seconds: of a request to a host, between health checks
_BACK = 10.0  # seconds until a host that serves must be healthy
_STEADY = 1.5 * INTERVAL  # seconds that it must stay so: a check that went wrong may be under way
_PAGE = 5.0  # seconds for one look at the metrics
_HEALTHY = re.compile(r"^mcrouter_upstream_healthy_hosts_total (\d+)$", re.M)
_BAD_LINE = re.compile(r"^.*(?: ERROR | CRITICAL |Traceback |ended by signal|Exception).*$", re.M)
_DOWN = re.compile(r" is (?:unhealthy|not read)")
_COUNTER = re.compile(r"^mcrouter_(\w+)\{[^}]*\} (\d+)$", re.M)


class Router:
    """The router over `ports`, with the sample policy."""

    def __init__(self, stage: Stage, ports: Sequence[int], shards: int, python: str = sys.executable) -> None:
        self.port, self._metrics = free_port(), free_port()
        self._hosts = len(ports)
        # router.json is held to the sample policy by the tests
        sample = json.loads((ROOT / "router.json").read_text())["route"]
        config = stage.folder / "router.json"
        config.write_text(json.dumps({"orderedPool": [f"127.0.0.1:{port}" for port in ports], "route": sample}))
        self._log = stage.folder / "router.log"
        words = [python, "-m", "mcrouter", "-f", str(config), "-l", f"tcp://127.0.0.1:{self.port}"]
        words += ["-L", f"127.0.0.1:{self._metrics}", "-n", str(shards)]
        words += ["-r", f"{TIMEOUT * 1000:.0f}", "-H", f"{INTERVAL * 1000:.0f}ms"]
        self._process = stage.start("router", words, {"PYTHONPATH": str(ROOT)})
        processes = shards + 1 if shards > 1 else 1
        ready = lambda: accepts(self.port) and len(self._alive()) == processes  # noqa: E731
        stage.wait("router", self._process, ready)
        self._pids = self._alive()
        self._seen = 0  # characters of the log

    def check(self, findings: Findings) -> None:
        """Looks for processes that have gone and for errors in the log, since the last look."""
        alive = self._alive()
        for pid in self._pids:
            if pid not in alive:
                findings.add(Finding(LOST, f"process {pid} of the router is gone"))
        self._pids = alive
        log = self._log.read_text(errors="replace")
        for match in _BAD_LINE.finditer(log, self._seen):
            findings.add(Finding(LOGGED, match[0]))
        self._seen = len(log)

    def downs(self) -> int:
        """How often it has found a host unhealthy."""
        return len(_DOWN.findall(self._log.read_text(errors="replace")))

    def all_healthy(self) -> bool:
        """Whether every shard finds every host healthy."""
        found = _HEALTHY.search(self._page())
        return found is not None and int(found[1]) == self._hosts

    def totals(self) -> Dict[str, int]:
        """Its counters, each added up over its labels."""
        totals: Dict[str, int] = Counter()
        for name, value in _COUNTER.findall(self._page()):
            totals[name] += int(value)
        return totals

    def _page(self) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._metrics}/metrics", timeout=_PAGE) as page:
                return str(page.read().decode())
        except OSError:
            return ""

    def resident_bytes(self) -> int:
        """Of all its processes; what they share counts for each."""
        return resident_bytes(self._process.pid)

    def open_descriptors(self) -> int:
        """Of all its processes."""
        return open_descriptors(self._process.pid)

    def log_tail(self, lines: int) -> List[str]:
        """The last lines of its log."""
        return self._log.read_text(errors="replace").splitlines()[-lines:]

    def _alive(self) -> List[int]:
        return [] if self._process.poll() is not None else descendants(self._process.pid)


class Watch:
    """Whether all hosts have been healthy for long enough; asked again and again."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._until = time.monotonic() + _BACK
        self._since = 0.0

    def is_over(self, findings: Findings) -> bool:
        """Whether they have, or will not be."""
        now = time.monotonic()
        if not self._router.all_healthy():
            self._since = 0.0
            if now > self._until:
                findings.add(Finding(NOT_BACK, f"hosts that serve are unhealthy after {_BACK:g} s"))
            return now > self._until
        self._since = self._since or now
        return now - self._since > _STEADY

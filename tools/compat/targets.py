"""What a client is run against: a memcached itself as the control, and two routers before memcacheds of their own."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

from benchmark.stage import BenchError, Stage, answers, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
CONTROL = "memcached itself"


class Target(NamedTuple):
    """A port that speaks memcached's protocol."""

    name: str
    port: int


def start_targets(stage: Stage) -> List[Target]:
    """The control first. Raises BenchError where one does not start."""
    # router.json is held to mcrouter.cli.main.SAMPLE_POLICY by the tests
    sample = json.loads((ROOT / "router.json").read_text())["route"]
    pool = {"servers": _hosts(stage, 3)}
    ketama = {"type": "PoolRoute", "pool": "A", "hash": {"hash_func": "ketama", "key_hash": "md5"}}
    return [
        Target(CONTROL, _memcached(stage)),
        _router(stage, "the sample policy over two hosts", {"orderedPool": _hosts(stage, 2), "route": sample}),
        _router(stage, "a ketama pool of three hosts", {"pools": {"A": pool}, "route": ketama}),
    ]


def _hosts(stage: Stage, count: int) -> List[str]:
    return [f"127.0.0.1:{_memcached(stage)}" for _ in range(count)]


def _memcached(stage: Stage) -> int:
    program = shutil.which("memcached", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin")
    if program is None:
        raise BenchError("memcached is not installed; install the package memcached")
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    port = free_port()
    name = f"memcached-{port}"
    process = stage.start(name, [program, "-l", "127.0.0.1", "-p", str(port), "-U", "0", *user])
    stage.wait(name, process, lambda: answers(port))
    return port


def _router(stage: Stage, name: str, config: Dict[str, Any]) -> Target:
    port = free_port()
    log = f"router-{port}"
    path = stage.folder / f"{log}.json"
    path.write_text(json.dumps(config))
    words = [sys.executable, "-m", "mcrouter", "-f", str(path), "-l", f"tcp://127.0.0.1:{port}", "-L", "off"]
    process = stage.start(log, [*words, "--enable-flush-cmd"], {"PYTHONPATH": str(ROOT)})
    stage.wait(log, process, lambda: answers(port))
    return Target(name, port)

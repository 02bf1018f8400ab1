"""A config of many pools: how long it takes to load, and what a client notices of a reload."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from statistics import median
from typing import Any, Dict, List

from .proxies import ROOT, Rig
from .stage import BenchError

_RELOADS = 3
_PAUSE = 0.001  # seconds between two gets
_LOOK = 0.5  # seconds between looks at the metrics
_PATIENCE = 60.0
_LOAD = """\
import sys, time
from mcrouter import load_config
text = open(sys.argv[1]).read()
begin = time.perf_counter()
config = load_config(text)
print(time.perf_counter() - begin, len(config.routes))
"""


def large_config(hosts: List[str], pools: int) -> Dict[str, Any]:
    """Pools over the hosts, each behind a prefix of its own, with a policy of ten handles and more by command."""
    servers = {f"P{i}": {"servers": [hosts[(i * 3 + j) % len(hosts)] for j in range(3)]} for i in range(pools)}
    policies = {}
    for i in range(pools):
        both = [f"PoolRoute|P{i}", f"PoolRoute|P{(i + 1) % pools}"]
        policies[f"t{i}:"] = {
            "type": "OperationSelectorRoute",
            "default_policy": both[0],
            "operation_policies": {
                "get": {"type": "MissFailoverRoute", "children": both},
                "set": {"type": "AllSyncRoute", "children": both},
                "delete": {"type": "AllSyncRoute", "children": [*both, {"type": "AllFastestRoute", "children": both}]},
            },
        }
    route = {"type": "PrefixSelectorRoute", "policies": policies, "wildcard": "PoolRoute|P0"}
    return {"pools": servers, "route": route}


def measure_large(rig: Rig, pools: int) -> Dict[str, Any]:
    """The facts: seconds to load, handles that there are, and of gets during reloads the slowest, in ms."""
    path = rig.stage.folder / "large.json"
    path.write_text(json.dumps(large_config([f"127.0.0.1:{host.port}" for host in rig.hosts], pools)))
    load, handles = _loaded(rig.python, path)
    rig.config = path
    router = rig.router()
    slowest: List[float] = []
    middle: List[float] = []
    with socket.create_connection(("127.0.0.1", router.port), _PATIENCE) as client:
        _get(client)  # it serves
        for _ in range(_RELOADS):
            before = _since(router.metrics)
            os.kill(router.process.pid, signal.SIGHUP)
            took = _gets_until_reloaded(client, router.metrics, before)
            slowest.append(1000 * max(took))
            middle.append(1000 * median(took))
    rig.dismiss([router])
    return {"pools": pools, "handles": handles, "load_s": load, "slowest_ms": slowest, "median_ms": middle}


def _loaded(python: str, path: Path) -> "tuple[float, int]":
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([python, "-c", _LOAD, str(path)], env=env, capture_output=True, text=True, timeout=_PATIENCE)
    if done.returncode:
        raise BenchError(f"the config does not load: {done.stderr.strip().splitlines()[-1]}")
    seconds, handles = done.stdout.split()
    return float(seconds), int(handles)


def _get(client: socket.socket) -> float:
    begin = time.perf_counter()
    client.sendall(b"get t1:key\r\n")
    if client.recv(100) != b"END\r\n":
        raise BenchError("a wrong answer")
    return time.perf_counter() - begin


def _since(metrics: int) -> float:
    """Returns since when the config is in effect, in Unix time."""
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/status.json", timeout=_PATIENCE) as page:
        return float(json.load(page)["config"]["since"])


def _gets_until_reloaded(client: socket.socket, metrics: int, before: float) -> List[float]:
    """Returns the seconds that each get takes until another config is in effect than the one since `before`."""
    took: List[float] = []
    asked = looked = time.monotonic()
    while looked - asked < _PATIENCE:
        took.append(_get(client))
        time.sleep(_PAUSE)
        if time.monotonic() - looked > _LOOK:
            looked = time.monotonic()
            if _since(metrics) != before:
                return took
    raise BenchError("the config is not taken")

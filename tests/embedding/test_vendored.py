"""The package copied into another project, under another name: it imports, runs, reloads and stops there."""

import os
import shutil
import subprocess
import sys

from tests.support.processes import DEADLINE, ROOT

PROGRAM = '''
import os, threading

def left():
    return sorted(thread.name for thread in threading.enumerate()), len(os.listdir("/proc/self/fd"))

before = left()
from thirdparty._vendor.router_copy import Router, Settings, load_config
from thirdparty._vendor.router_copy.testing import DemoHost

SETTINGS = Settings(listen="tcp://127.0.0.1:0", metrics_listen_addr="127.0.0.1:0")

def config(host):
    return load_config('{"orderedPool": ["%s"], "route": "DefaultRoute"}' % host.address)

with DemoHost() as one, DemoHost() as other:
    with Router(config(one), SETTINGS) as first, Router(config(other), SETTINGS) as second:
        clients = first.client(), second.client()
        for number, client in enumerate(clients):
            client.set("k", str(number))
        print([client.get("k") for client in clients])
        first.reload(config(other))
        print([client.get("k") for client in clients])
    print(Router.__module__)
print(left() == before)
'''


def test_it_runs_reloads_and_stops(tmp_path):
    vendor = tmp_path / "thirdparty" / "_vendor"
    shutil.copytree(ROOT / "mcrouter", vendor / "router_copy", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "program.py").write_text(PROGRAM)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-X", "dev", "-W", "error", "program.py"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["[b'0', b'1']", "[b'1', b'1']", "thirdparty._vendor.router_copy.router", "True"]

"""Hosts and clusters of a `with`: what they offer to a test, and that nothing of them is left."""

import gc
import os
import shutil
import socket
import subprocess
import sys
import threading

import pytest

from mcrouter import ConfigError, SettingsError
from mcrouter.testing import DemoHost, Faults, cluster, hosts
from tests.support.processes import DEADLINE, ROOT, until
from tests.support.readme import sections
from tests.support.wire import Wire

SHARDED = """
pools:
  A: {servers: [cache1, "cache2:11311", "unix:///run/cache3"]}
route: PoolRoute|A
"""


def left():
    """(threads, open descriptors)."""
    gc.collect()
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


def test_hosts_are_started_and_end_also_after_an_exception():
    before = left()
    with pytest.raises(KeyError), hosts(3, item_max=1000) as started:
        assert [host.running for host in started] == [True] * 3
        assert len({host.address for host in started}) == 3
        wires = [Wire(host.port) for host in started]
        assert wires[2].ask(b"set k 0 0 999\r\n" + b"x" * 999 + b"\r\n").startswith(b"SERVER_ERROR object too large")
        raise KeyError
    assert [wire.read_to_close() for wire in wires] == [b""] * 3
    for wire in wires:
        wire.sock.close()
    assert [host.running for host in started] == [False] * 3
    assert left() == before


def test_a_cluster_serves_the_sample_policy_and_ends_also_after_an_exception():
    with cluster(1):
        pass
    before = left()
    with pytest.raises(KeyError), cluster(2) as cache:
        with Wire(cache.port, cache.host) as wire:
            assert wire.ask(b"set user:1 0 0 3\r\nAnn\r\n") == b"STORED\r\n"
        until(lambda: [host.value("user:1") for host in cache.hosts] == [b"Ann", b"Ann"])
        cache.hosts[0].stop()
        assert cache.router.client().get("user:1") == b"Ann"
        assert cache.hosts[1].stats["get_hits"] == 1
        assert cache.hosts[1].value("nothing") is None
        raise KeyError
    assert left() == before


def test_a_config_finds_its_hosts_here_under_their_own_names(tmp_path):
    names = ["cache1", "cache2:11311", "unix:///run/cache3"]
    (tmp_path / "router.yaml").write_text(SHARDED)
    where = []
    for config in (SHARDED, tmp_path / "router.yaml", str(tmp_path / "router.yaml")):
        with cluster(config) as cache:
            assert list(cache.by_name) == names
            client = cache.router.client()
            assert not client.set_many({f"k{number}": "v" for number in range(30)})
            where.append([[host.value(f"k{number}") for number in range(30)] for host in cache.hosts])
            assert list(cache.router.stats()["hosts"]) == names
    assert where[0] == where[1] == where[2]
    assert all(any(row) for row in where[0])


def test_the_router_finds_hosts_that_go_and_come():
    with cluster(2, timeout_ms=1000, timeouts_until_tko=1, healthcheck_interval="100ms") as cache:
        cache.until_healthy(2)
        cache.hosts[0].faults.mute = True
        client = cache.router.client()
        assert client.set("a", "1")
        cache.until_healthy(1)
        with pytest.raises(TimeoutError, match=r"after 0 s the router finds 1 \(host2:11211\) healthy, not 2 hosts"):
            cache.until_healthy(2, seconds=0)
        assert client.set("b", "1")
        cache.hosts[0].faults.clear()
        cache.until_healthy(2)
        assert client.get("a") == client.get("b") == b"1"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("orderedPool: []\n",), ConfigError, "config:1:"),
        (("missing.yaml",), ConfigError, "missing.yaml: cannot read the config"),
        ((0,), ConfigError, "orderedPool"),
    ],
)
def test_a_config_of_no_use_is_told_and_leaves_nothing(arguments, error, message):
    before = left()
    with pytest.raises(error, match=message), cluster(*arguments):
        pass
    with pytest.raises(SettingsError, match="unknown setting 'nonsense'"), cluster(2, nonsense=1):
        pass
    assert left() == before


def test_several_event_loops_and_hosts_that_stop_for_all_of_them():
    """What was forked has the hosts' sockets, too: they must not seem to be open."""
    with cluster(2, server_event_loops=2) as cache:
        gone, stays = cache.hosts
        with Wire(cache.port) as wire:
            assert wire.ask(b"set a 0 0 1\r\n1\r\n") == b"STORED\r\n"
        until(lambda: gone.value("a") and stays.value("a"))
        gone.stop()
        with pytest.raises(ConnectionRefusedError):
            Wire(gone.port)
        with Wire(cache.port) as wire:
            assert wire.ask(b"get a\r\n") == b"VALUE a 0 1\r\n1\r\nEND\r\n"
        gone.start()
        assert gone.value("a") == b"1"


def test_a_restart_forgets_or_keeps():
    with DemoHost() as host:
        port = host.port
        with Wire(port) as wire:
            wire.ask(b"set a 0 0 1\r\n1\r\nget a\r\n")
        host.restart(keep=True)
        assert (host.port, host.value("a"), host.stats["cmd_get"], host.stats["curr_items"]) == (port, b"1", 1, 1)
        host.restart()
        assert (host.port, host.value(b"a"), host.stats["cmd_get"], host.stats["curr_items"]) == (port, None, 0, 0)
        host.stop()
        host.restart()
        assert host.running


@pytest.mark.parametrize("fault", ["error", "full"])
def test_a_host_that_refuses(fault):
    with cluster(1) as cache:
        client = cache.router.client()
        assert client.set("a", "1")
        setattr(cache.hosts[0].faults, fault, b"SERVER_ERROR busy" if fault == "error" else True)
        said = client.command(b"set a 0 0 1\r\n2\r\n")
        assert said == (b"SERVER_ERROR busy\r\n" if fault == "error" else b"SERVER_ERROR out of memory storing object\r\n")
        cache.hosts[0].faults.clear()
        assert cache.hosts[0].value("a") == (b"1" if fault == "error" else None)


def test_a_users_test_under_a_vendored_name(tmp_path):
    """As a pytest fixture of somebody else's project, warnings being errors."""
    shutil.copytree(ROOT / "mcrouter", tmp_path / "vendor" / "cache_router", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "test_theirs.py").write_text(
        "import pytest, socket\n"
        "from vendor.cache_router.testing import cluster\n\n\n"
        "@pytest.fixture\n"
        "def cache():\n"
        "    with cluster(2) as started:\n"
        "        yield started\n\n\n"
        "@pytest.mark.parametrize('turn', range(3))\n"
        "def test_theirs(cache, turn):\n"
        "    with socket.create_connection((cache.host, cache.port)) as sock:\n"
        "        sock.sendall(b'set a 0 0 1\\r\\n1\\r\\nquit\\r\\n')\n"
        "        assert sock.makefile('rb').read() == b'STORED\\r\\n'\n"
        "    assert cache.hosts[1].value('a') in (b'1', None)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "test_theirs.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout


def test_the_readme_names_every_fault():
    section = sections()["In your tests"]
    for name in Faults.__annotations__:
        assert f"`{name}`" in section


def test_an_address_is_one_to_connect_to():
    with cluster(1) as cache, socket.create_connection((cache.host, cache.port), DEADLINE):
        assert cache.address == f"{cache.host}:{cache.port}"
    with cluster(1, listen="tcp://[::1]:0") as cache, socket.create_connection((cache.host, cache.port), DEADLINE):
        assert cache.address == f"[{cache.host}]:{cache.port}"

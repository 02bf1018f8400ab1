"""What a service manager is told, by the router as a process."""

import os
import socket

import pytest

from mcrouter.server.processes.systemd import notify
from tests.support.processes import DEADLINE, RouterProcess, config


@pytest.fixture
def manager(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(DEADLINE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield sock


def test_it_says_when_it_serves_and_who_comes_after_it(manager):
    router = RouterProcess(config(["127.0.0.1:1"]))
    try:
        assert manager.recv(100) == b"READY=1"
        old = router.process.pid
        assert router.restart() == 0
        told = {manager.recv(100), manager.recv(100)}
        assert told == {b"READY=1", f"MAINPID={router.process.pid}".encode()} and router.process.pid != old
    finally:
        router.stop()


def test_an_abstract_socket(monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0mcrouter-test-{os.getpid()}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@mcrouter-test-{os.getpid()}")
        notify("READY=1", "STATUS=well")
        assert sock.recv(100) == b"READY=1\nSTATUS=well"


@pytest.mark.parametrize("where", ["", "relative", "/nobody/there"])
def test_nobody_to_be_told(where, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", where)
    notify("READY=1")

"""A new process takes over: no refused connection, no lost answer, no closed client; and sockets from a service manager."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from tests.support.load import Load
from tests.support.processes import DEADLINE, ROOT, config, free_port, until
from tests.support.wire import Wire

RESTARTS = 10 if "CASES" in os.environ else 2
pytestmark = pytest.mark.skipif(sys.version_info < (3, 9) or not hasattr(os, "pidfd_open"), reason="Linux has pidfds")


def addresses(hosts):
    return [f"127.0.0.1:{host.port}" for host in hosts]


class Newcomers(Load):
    """Clients that connect anew for every request."""

    def _run(self, number):
        try:
            while not self._ending:
                with Wire(self.port) as wire:
                    answer = wire.send(b"set n%d 0 0 1\r\nx\r\nquit\r\n" % number).read_to_close()
                    assert answer == b"STORED\r\n", answer
                self._answers[number] += 1
        except (AssertionError, OSError) as error:
            self.faults.append(f"newcomer {number}: {error!r}")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_restarts_under_load_cost_no_client_anything(memcacheds, router, workers):
    proxy = router(config(addresses(memcacheds(2))), "-n", workers, "--disable-reload-configs")
    with Load(proxy.port, 4) as load, Newcomers(proxy.port, 2) as newcomers:
        for _ in range(RESTARTS):
            assert proxy.restart() == 0
            before = load.answers, newcomers.answers
            until(lambda: load.answers > before[0] + 20 or load.faults)  # noqa: B023 (asked at once)
            until(lambda: newcomers.answers > before[1] + 20 or newcomers.faults)  # noqa: B023
    assert (load.faults, newcomers.faults) == ([], [])
    assert proxy.log().count("Traceback") == 0
    until(lambda: proxy.metrics()["mcrouter_client_connections"] == 0, "the router to see that all have gone")


@pytest.mark.parametrize("number", [signal.SIGUSR2, signal.SIGHUP])
def test_a_signal_that_comes_while_it_starts_does_not_end_it(memcacheds, router, number):
    """It is sent as soon as somebody can connect, which is before there is anybody to see to it."""
    for _ in range(3):
        proxy = router(config(addresses(memcacheds(1)), "DefaultRoute"))
        proxy.process.send_signal(number)
        done = " serves; " if number == signal.SIGUSR2 else "is in effect"
        until(lambda: done in proxy.log(), "what the signal is for")  # noqa: B023 (asked at once)
        if number == signal.SIGUSR2:
            old = proxy.process
            proxy.adopt_successor()
            assert old.wait(DEADLINE) == 0
        assert proxy.ask(b"get a\r\n") == b"END\r\n"


def test_what_a_client_has_half_said_goes_along(memcacheds, router):
    proxy = router(config(addresses(memcacheds(1)), "DefaultRoute"))
    with Wire(proxy.port) as line, Wire(proxy.port) as value, Wire(proxy.port) as large, Wire(proxy.port) as idle, Wire(proxy.port) as refused:
        line.send(b"get nothi")
        assert refused.send(b"set r x 0 20\r\nget sm").read_until(b"\n") == b"CLIENT_ERROR bad command line format\r\n"
        value.send(b"set v 0 0 10\r\n01234")
        large.send(b"set l 0 0 200000\r\n" + b"x" * 100_000)
        assert idle.send(b"get nothing\r\n").read_until(b"END\r\n") == b"END\r\n"
        old = proxy.process
        old.send_signal(signal.SIGUSR2)
        until(lambda: " serves; " in proxy.log())
        assert refused.send(b"uggled\r\nmn\r\n\r\n", b"\r\nget nothing\r\n").read_until(b"\n") == b"END\r\n"
        assert line.send(b"ng\r\n").read_until(b"\n") == b"END\r\n"
        assert value.send(b"56789\r\nget v\r\n").read_until(b"END\r\n") == b"STORED\r\nVALUE v 0 10\r\n0123456789\r\nEND\r\n"
        assert large.send(b"x" * 100_000 + b"\r\n").read_until(b"\n") == b"STORED\r\n"
        assert idle.send(b"get nothing\r\n").read_until(b"END\r\n") == b"END\r\n"
        proxy.adopt_successor()
        assert old.wait(DEADLINE) == 0
        assert large.send(b"touch l 0\r\n").read_until(b"\n") == b"TOUCHED\r\n"


def test_a_process_that_does_not_start_changes_nothing(memcacheds, router):
    proxy = router(config(addresses(memcacheds(1)), "DefaultRoute"), "--disable-reload-configs")
    proxy.config.write_text("orderedPool: []\n")
    with Wire(proxy.port) as wire:
        proxy.process.send_signal(signal.SIGUSR2)
        until(lambda: "the new process does not serve, so this one continues to serve" in proxy.log())
        assert wire.send(b"get a\r\n").read_until(b"\n") == b"END\r\n"
    proxy.config.write_text(config(addresses(memcacheds(1)), "DefaultRoute"))
    assert proxy.restart() == 0
    assert proxy.ask(b"get a\r\n") == b"END\r\n"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_a_host_has_missed_is_not_forgotten(memcacheds, router, workers):
    hosts = memcacheds(2)
    proxy = router(config(addresses(hosts)), "-r", "1000", "-H", "200ms", "-n", workers)
    healthy = "mcrouter_upstream_healthy_hosts_total"
    assert proxy.ask(b"set a 0 0 1\r\n1\r\n") == b"STORED\r\n"
    until(lambda: hosts[0].has(b"a"))
    hosts[0].freeze()
    until(lambda: proxy.ask(b"get b\r\n") and proxy.metrics()[healthy] == 1)
    assert proxy.ask(b"set a 0 0 1\r\n2\r\n") == b"STORED\r\n"
    assert proxy.restart() == 0
    assert proxy.ask(b"get a\r\n") == b"VALUE a 0 1\r\n2\r\nEND\r\n"
    hosts[0].thaw()
    until(lambda: proxy.metrics()[healthy] == 2)
    assert not hosts[0].has(b"a")
    assert proxy.ask(b"get a\r\n") == b"VALUE a 0 1\r\n2\r\nEND\r\n"


def test_sockets_of_a_service_manager(memcacheds, tmp_path):
    file = tmp_path / "router.yaml"
    file.write_text(config(addresses(memcacheds(1)), "DefaultRoute"))
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_server(("127.0.0.1", 0)) as metrics:
        start = (
            "import os, sys; os.dup2(int(sys.argv[1]), 33); os.dup2(int(sys.argv[2]), 4); os.dup2(33, 3);"
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='cache:metrics');"
            "[os.set_inheritable(fd, True) for fd in (3, 4)]; os.execv(sys.executable, [sys.executable, *sys.argv[3:]])"
        )
        fds = [listener.fileno(), metrics.fileno()]
        command = [sys.executable, "-c", start, *map(str, fds), "-m", "mcrouter", "-f", str(file)]
        process = subprocess.Popen(command, pass_fds=fds, cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            with Wire(listener.getsockname()[1]) as wire:
                assert wire.send(b"get a\r\n").read_until(b"\n") == b"END\r\n"
            with socket.create_connection(metrics.getsockname(), DEADLINE) as page:
                page.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                assert page.recv(20).startswith(b"HTTP/1.")
        finally:
            process.terminate()
            assert process.wait(DEADLINE) == 0
    assert free_port()


def test_a_unix_socket_outlives_a_restart_and_goes_with_the_last_process(memcacheds, router, tmp_path):
    path = tmp_path / "s"
    proxy = router(config(addresses(memcacheds(1)), "DefaultRoute"), "-l", f"unix://{path}?mode=600")
    assert proxy.restart() == 0
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(b"get k\r\n")
        assert sock.recv(100) == b"END\r\n"
    assert proxy.stop() == 0 and not path.exists()

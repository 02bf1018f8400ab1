"""The log stops nothing: neither a stderr that is not read, nor a handler that fails, nor a start without descriptors."""

import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from mcrouter import Router, load_config
from mcrouter.cli.main import _serve
from mcrouter.server.processes.supervisor import Supervisor, unblock_signals
from mcrouter.settings import Settings
from mcrouter.system.logs import MOST_LINES, StderrHandler, flush_stderr, get_logger, lines_dropped
from tests.embedding.served import served
from tests.support.processes import DEADLINE, ROOT, RouterProcess, ask, free_port, until


@pytest.fixture
def pipe():
    """A pipe of one page, that is not read unless the test does; and a handler that writes to it."""
    read, write = os.pipe()
    fcntl.fcntl(write, 1031, 4096)  # F_SETPIPE_SZ
    with open(read, "rb", buffering=0) as reader, open(write, "wb", buffering=0) as writer:
        handler = StderrHandler(writer.fileno())
        yield reader, handler
        reader.close()
        handler.flush()  # what it still has to write fails now, and not into another test's pipe


def record(text):
    return logging.LogRecord("mcrouter", logging.INFO, "", 0, text, None, None)


def test_a_pipe_that_is_not_read_stops_no_line_and_dropped_ones_are_told(pipe):
    reader, handler = pipe
    for number in range(2 * MOST_LINES + 2000):
        handler.emit(record("%06d %s" % (number, "x" * 100)))
    dropped = handler.dropped
    assert dropped >= MOST_LINES and handler.dropped_in_all == dropped
    seen = b""
    while seen.count(b"\n") < 2 * MOST_LINES + 2000 - dropped + 1:
        seen += reader.read(65536)
    told = b"%d lines of the log were dropped: stderr was not read" % dropped
    lines = seen.splitlines()
    assert lines.count(told) == 1
    lines.remove(told)
    assert [int(line[:6]) for line in lines] == list(range(len(lines)))
    assert (handler.dropped, handler.dropped_in_all) == (0, dropped)


def test_flush_waits_for_the_lines_and_not_for_ever(pipe, monkeypatch):
    reader, handler = pipe
    handler.emit(record("first"))
    handler.flush()
    os.set_blocking(reader.fileno(), False)
    assert reader.read(100) == b"first\n"
    monkeypatch.setattr("mcrouter.system.logs._PATIENCE", 0.01)
    handler.emit(record("x" * 10_000))
    handler.flush()


def test_a_forked_child_writes_its_own_lines_and_no_other(pipe):
    reader, handler = pipe
    logger = logging.getLogger("mcrouter")
    logger.addHandler(handler)
    handler.emit(record("of the parent"))
    handler.flush()
    handler.dropped_in_all = 3
    pid = os.fork()
    if not pid:
        handler.emit(record("of the child"))
        flush_stderr()
        os._exit(lines_dropped())
    assert os.waitpid(pid, 0)[1] == 0 and lines_dropped() == 3
    logger.removeHandler(handler)
    assert reader.read(100) == b"of the parent\nof the child\n"


@pytest.mark.parametrize("loops", ["1", "2"])
def test_a_router_whose_stderr_is_not_read_serves_and_ends(memcacheds, tmp_path, loops):
    (host,) = memcacheds(1)
    pool = {"pools": {"A": {"servers": [f"127.0.0.1:{host.port}"]}}, "route": {"type": "LoggingRoute", "target": "PoolRoute|A"}}
    (tmp_path / "c.json").write_text(json.dumps(pool))
    read, write = os.pipe()
    fcntl.fcntl(write, 1031, 4096)
    port, metrics = free_port(), free_port()
    command = [sys.executable, "-m", "mcrouter", "-f", str(tmp_path / "c.json"), "-l", f"tcp://127.0.0.1:{port}", "-L", f"127.0.0.1:{metrics}"]
    process = subprocess.Popen([*command, "-n", loops], cwd=ROOT, stderr=write)
    try:
        until(lambda: serves(port))
        assert dropped_by(metrics) == 0
        asked = MOST_LINES + 5000
        assert ask(port, b"get a-key-that-is-logged\r\n" * asked + b"quit\r\n") == b"END\r\n" * asked
        until(lambda: dropped_by(metrics) >= 4000, "the lines to be counted")
        process.terminate()
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()
        os.close(read)
        os.close(write)


def dropped_by(metrics):
    """How many lines of the log the page of metrics says that were dropped."""
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=DEADLINE) as page:
        (line,) = [line for line in page if line.startswith(b"mcrouter_log_lines_dropped_total ")]
    return int(line.split()[1])


def test_the_lines_that_all_processes_have_dropped_are_one_number(monkeypatch):
    """The event loops have theirs in their rows; the supervisor, which makes the page, adds its own."""
    config = load_config('{"orderedPool": ["127.0.0.1:1"], "route": "DefaultRoute"}')
    for loops, total in ((1, 2), (2, 2 + 3 + 5)):
        router = Router(config, Settings(server_event_loops=loops))
        for row, count in zip(router._rows, (2, 3)):
            row[router._layout.log_lines_dropped] = count
        monkeypatch.setattr("mcrouter.server.pages.lines_dropped", lambda: 5)
        assert b"\nmcrouter_log_lines_dropped_total %d\n" % total in router._pages.metrics()[2]
        router.stop()


def serves(port):
    try:
        return ask(port, b"version\r\nquit\r\n").startswith(b"VERSION")
    except OSError:
        return False


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_socket_takes_the_number_of_a_standard_descriptor(memcacheds, tmp_path, closed):
    (host,) = memcacheds(1)
    (tmp_path / "router.yaml").write_text(config_text(host.port))
    port = free_port()
    command = f"exec {sys.executable} -m mcrouter -f {tmp_path}/router.yaml -l tcp://127.0.0.1:{port} -L off {closed}"
    process = subprocess.Popen(["sh", "-c", command], cwd=ROOT)
    try:
        until(lambda: serves(port))
        names = [os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in (0, 1, 2)]
        assert not any(name.startswith(("socket:", "anon_inode:")) for name in names)
        numbers = {"<&-": [0], ">&-": [1], "2>&-": [2]}
        assert all(names[fd] == os.devnull for word in closed.split() for fd in numbers[word])
        process.terminate()
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()


def config_text(port):
    return json.dumps({"orderedPool": [f"127.0.0.1:{port}"], "route": "DefaultRoute"})


def test_a_router_without_standard_descriptors_restarts(memcacheds, monkeypatch):
    (host,) = memcacheds(1)
    start = subprocess.Popen

    def without(command, **options):
        shell = ["sh", "-c", 'exec "$@" <&- >&-', "sh", *command]
        return start(shell, cwd=options["cwd"], stderr=options["stderr"])

    monkeypatch.setattr(subprocess, "Popen", without)
    proxy = RouterProcess(config_text(host.port))
    try:
        assert proxy.restart() == 0
        assert proxy.ask(b"set k 0 0 1\r\nx\r\n") == b"STORED\r\n"
    finally:
        proxy.stop()


class Failing(logging.Handler):
    """An embedding program's, with a bug."""

    def __init__(self):
        super().__init__()
        self.seen = 0

    def emit(self, record):
        self.seen += 1
        raise RuntimeError("a bug of the program")


def test_a_handler_that_raises_ends_no_event_loop(capsys):
    handler, logger = Failing(), logging.getLogger("mcrouter")
    logger.addHandler(handler)
    try:
        with served(1, healthcheck_interval=0.05) as (router, hosts):
            client = router.client()
            assert client.set("k", "v")
            hosts[0].stop()
            until(lambda: handler.seen, "the host to be found down")
            hosts[0].start()
            until(lambda: stored(client), "the host to be back")
    finally:
        logger.removeHandler(handler)
    assert "RuntimeError: a bug of the program" in capsys.readouterr().err


def stored(client):
    from mcrouter import RequestError

    try:
        return client.set("k", "v")
    except RequestError:
        return False


def test_a_logger_is_guarded_once():
    assert get_logger("mcrouter.x").handle is get_logger("mcrouter.x").handle


def test_a_signal_that_comes_while_a_shard_is_born_reaches_it(monkeypatch):
    """The signal is there before Python is ready in the forked child, and so before the event loop has a handler."""
    fork, (read, write) = os.fork, os.pipe()

    def forked():
        pid = fork()
        if not pid:
            os.kill(os.getpid(), signal.SIGTERM)
        return pid

    def run(_number, _lifeline, _channel):
        signal.signal(signal.SIGTERM, lambda *_: os.write(write, b"heard"))
        unblock_signals()
        supervisor.stop(1.0)

    monkeypatch.setattr(os, "fork", forked)
    supervisor = Supervisor(1, run, lambda _number: supervisor.stop(1.0))
    supervisor.serve()
    os.close(write)
    with open(read, "rb") as heard:
        assert heard.read() == b"heard"
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_hangup_during_the_start_is_looked_at_once(monkeypatch):
    """Without a file to read again there is no other handler, and the one of the start keeps what it is told."""

    class Fake:
        addresses, metrics_address = [], None

        def __init__(self, *_):
            pass

        def bind(self):
            signal.raise_signal(signal.SIGHUP)

        def serve(self):
            pass

    monkeypatch.setattr("mcrouter.router.Router", Fake)
    monkeypatch.setattr("mcrouter.server.processes.takeover.Restarter", lambda _router: None)
    numbers = (signal.SIGHUP, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    try:
        assert _serve(None, Settings()) == 0
    finally:
        for number, handler in zip(numbers, before):
            signal.signal(number, handler)


def test_a_forked_child_is_told_that_the_router_serves_elsewhere():
    with served(1) as (router, _):
        client = router.client()
        assert client.set("k", "v")
        read, write = os.pipe()
        pid = os.fork()
        if not pid:
            signal.alarm(10)
            try:
                for call in (lambda: client.get("k"), lambda: router.reload(router.config)):
                    try:
                        call()
                    except Exception as error:
                        os.write(write, f"{type(error).__name__}: {error}\n".encode())
                router.stop()
                os.write(write, b"stopped\n")
            finally:
                os._exit(0)
        os.close(write)
        os.waitpid(pid, 0)
        with open(read) as said:
            told = "RouterError: the router serves in the process that this one was forked from; connect to its addresses, or make another router\n"
            assert said.read() == 2 * told + "stopped\n"
        assert client.get("k") == b"v"

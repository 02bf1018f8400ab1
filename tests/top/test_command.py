"""`mcrouter top` as a command: what it asks, prints and says when there is no router; and its screen, on a terminal."""

import contextlib
import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mcrouter.cli.main import main
from mcrouter.top import fetch
from mcrouter.top.fetch import address, read_answer
from tests.embedding.served import served
from tests.status.test_page import facts, host
from tests.support.processes import DEADLINE, ROOT, free_port, until


@contextlib.contextmanager
def web(answers):
    """Answers every request with the next of these (status, body), the last one again and again; the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def page(*hosts, now=1000.0):
    return 200, json.dumps(facts(*hosts, now=now)).encode()


ADDRESSES = [
    ("localhost:9090", "localhost:9090"), (":9191", "localhost:9191"), ("9191", "localhost:9191"), ("cache1", "cache1:9090"),
    ("http://cache1:80/", "cache1:80"), ("[::1]:90", "[::1]:90"), ("10.0.0.1:9090", "10.0.0.1:9090"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "meant"), ADDRESSES)
def test_an_address(given, meant):
    assert str(address(given)) == meant


@pytest.mark.parametrize("given", ["a:b", ":0", "65536", "ftp://x:1", "a b", "[::1", "unix:///x"])
def test_no_address(given, capsys):
    assert main(["top", given]) == 2
    message = f"invalid value {given!r} for ADDR: expected the HOST:PORT of a router's metrics, or :PORT on this machine"
    assert capsys.readouterr().err == f"mcrouter top: {message}; --help lists the flags\n"


def test_one_view(capsys):
    with web([page(host("cache1:1"))]) as port:
        assert main(["top", f":{port}", "--once"]) == 0
    out = capsys.readouterr().out
    assert "1 of 1 hosts healthy" in out and "cache1:1" in out and "\x1b" not in out


def test_one_view_where_standard_output_is_no_terminal():
    with web([page(host("cache1:1"))]) as port:
        command = [sys.executable, "-m", "mcrouter", "top", f":{port}", "--interval", "0.1"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("1 of 1 hosts healthy") == 1


def test_several_views_and_one_that_does_not_come(capsys):
    with web([page(host("first:1")), (500, b""), page(host("third:1"))]) as port:
        assert main(["top", str(port), "--count", "3", "--interval", "0.1"]) == 0
    out, err = capsys.readouterr()
    assert (out.count("hosts healthy"), "first:1" in out, "third:1" in out) == (2, True, True)
    assert err.count("; trying again\n") == 1


def test_json(capsys):
    with web([page(host("cache1:1"))]) as port:
        assert main(["top", str(port), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == facts(host("cache1:1"))


def test_nobody_there(capsys):
    port = free_port()
    assert main(["top", str(port)]) == 1
    assert capsys.readouterr().err == f"mcrouter: top: localhost:{port}: Connection refused; give the address of a router's metrics\n"


@pytest.mark.parametrize("answer", [(404, b"no"), (200, b"no json"), (200, b"[]"), (200, b"{}")])
def test_something_else_there(answer, capsys):
    with web([answer]) as port:
        assert main(["top", str(port)]) == 1
    told = f"mcrouter: top: localhost:{port} is not this router, or an older version; give the address of a router's metrics\n"
    assert capsys.readouterr().err == told


# hostile servers --------------------------------------------------------------------------------------------------------


class Endless:
    """A connection whose other end says the same again and again, each time after so many seconds."""

    def __init__(self, piece, seconds=0.0):
        self.piece, self.seconds = piece, seconds
        self.now, self.read, self.patience = 0.0, 0, []

    def settimeout(self, seconds):
        self.patience.append(seconds)

    def recv(self, size):
        patience = self.patience[-1]
        self.now += min(self.seconds, patience)
        if self.seconds > patience:
            raise socket.timeout
        self.read += len(self.piece[:size])
        return self.piece[:size]


@pytest.mark.parametrize("seconds", [0.5, 3.0, 100.0])
def test_an_answer_may_take_so_long_as_a_whole(seconds):
    sock = Endless(b"x", seconds)
    with pytest.raises(OSError, match="the answer takes too long"):
        read_answer(sock, 7.0, lambda: sock.now)
    assert sock.now == 7.0 and sock.read == 7 // seconds


def test_an_answer_may_have_so_many_bytes_as_a_whole():
    sock = Endless(b"x" * (1 << 20))
    with pytest.raises(OSError, match="the answer has more than 67108864 bytes"):
        read_answer(sock, 1.0, lambda: sock.now)
    assert sock.read <= (1 << 26) + (1 << 16)


PIECES = [b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000, b"x" * 65536]


@pytest.mark.parametrize("piece", PIECES)
def test_an_endless_answer_is_told_in_a_line(piece, capsys, monkeypatch):
    monkeypatch.setattr(fetch, "_MOST_BYTES", 1_000_000)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with server.accept()[0] as sock, contextlib.suppress(OSError):
                while True:
                    sock.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        assert main(["top", f"127.0.0.1:{port}"]) == 1
        thread.join()
    told = f"mcrouter: top: 127.0.0.1:{port}: the answer has more than 1000000 bytes; give the address of a router's metrics\n"
    assert capsys.readouterr().err == told


BAD_FLAGS = [("--interval", "0"), ("--interval", "x"), ("--count", "0"), ("--sort", "name")]


@pytest.mark.parametrize("flag", BAD_FLAGS)
def test_a_bad_flag_is_a_line(flag, capsys):
    assert main(["top", *flag]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


class Terminal:
    """`mcrouter top` on a terminal of its own."""

    def __init__(self, port, **env):
        self.master, slave = pty.openpty()
        command = [sys.executable, "-W", "error", "-m", "mcrouter", "top", str(port), "--interval", "0.1"]
        known = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        env = {**known, "TERM": "xterm", "LC_ALL": "C.UTF-8", "LINES": "24", "COLUMNS": "100", **env}
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, env=env)
        os.close(slave)
        self.seen = b""

    def has(self, what):
        """Whether it has been written by now."""
        while select.select([self.master], [], [], 0)[0]:
            try:
                self.seen += os.read(self.master, 65536)
            except OSError:  # the other end is closed
                break
        return what in self.seen

    def press(self, keys):
        os.write(self.master, keys)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal():
    with contextlib.ExitStack() as stack:

        def start(port, **env):
            made = Terminal(port, **env)
            stack.callback(made.end)
            return made

        yield start


def test_a_terminal_is_drawn_on_until_q(terminal):
    with web([page(host("cache1:1")), page(host("cache1:1", "unhealthy"), now=1001.0)]) as port:
        shown = terminal(port)
        until(lambda: shown.has(b"cache1:1"), "the hosts")
        until(lambda: shown.has("✕".encode()), "the next view")
        assert b"\x1b[31m" in shown.seen
        shown.press(b"?")
        until(lambda: shown.has(b"q quit"), "the keys")
        shown.press(b"s")
        shown.press(b"?")
        until(lambda: shown.has(b"sorted by host") or shown.has(b"host, ?"), "the order")
        shown.press(b"q")
        until(lambda: (shown.has(b""), shown.process.poll() is not None)[1])
        assert shown.process.returncode == 0


def test_a_router_that_goes_is_told_and_waited_for(terminal):
    with web([page(host("cache1:1")), (500, b"")]) as port:
        shown = terminal(port)
        until(lambda: shown.has(b"is not this router"), "the line")
        shown.press(b"q")
        until(lambda: (shown.has(b""), shown.process.poll() is not None)[1])


def test_no_colours_where_none_are_wanted(terminal):
    with web([page(host("cache1:1", "unhealthy"))]) as port:
        shown = terminal(port, NO_COLOR="1")
        until(lambda: shown.has(b"cache1:1"), "the hosts")
        assert b"\x1b[31m" not in shown.seen


def test_an_interrupt_ends_it_quietly(terminal):
    with web([page(host("cache1:1"))]) as port:
        shown = terminal(port)
        until(lambda: shown.has(b"cache1:1"), "the hosts")
        shown.process.send_signal(signal.SIGINT)
        until(lambda: (shown.has(b""), shown.process.poll() is not None)[1])
        assert shown.process.returncode == 0
        assert b"Traceback" not in shown.seen


def test_of_a_real_router(capsys):
    with served(2, metrics_listen_addr="127.0.0.1:0") as (router, hosts):
        assert main(["top", router.metrics_address, "--once"]) == 0
    out = capsys.readouterr().out
    assert "2 of 2 hosts healthy" in out and all(one.address in out for one in hosts)

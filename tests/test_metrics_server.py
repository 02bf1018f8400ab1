"""The http thread over loopback: pages, refusals, clients that hold on, and nothing left behind."""

import errno
import http.client
import json
import logging
import os
import select
import socket
import subprocess
import sys
import threading
import time

import pytest

from mcrouter.metrics.page import health_page
from mcrouter.metrics.server import MetricsServer
from tests.embedding.served import served
from tests.support.processes import DEADLINE

LONG = 30.0  # seconds after which a test that waits has failed


def broken():
    raise RuntimeError("no page today")


PAGES = {
    "/metrics": lambda: (200, "text/plain; version=0.0.4", b"a 1\n"),
    "/healthz": lambda: health_page(0),
    "/broken": broken,
    "/big": lambda: (200, "text/plain", b"x" * 3_000_000),
}


def until(condition):
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


@pytest.fixture
def serve():
    """Starts servers; afterwards no thread and no descriptor of theirs is left."""
    servers = []
    threads, fds = set(threading.enumerate()), descriptors()

    def start(address=("127.0.0.1", 0), **options):
        server = MetricsServer(address, PAGES, **options)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()
        server.stop()
    assert set(threading.enumerate()) == threads
    assert descriptors() == fds


def descriptors():
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


def ask(server, method, path, host="127.0.0.1"):
    connection = http.client.HTTPConnection(host, server.address[1], timeout=LONG)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def connect(server):
    return socket.create_connection(server.address[:2], timeout=LONG)


def ended(sock):
    """Whether the other side has ended the connection without a word."""
    try:
        return sock.recv(100) == b""
    except ConnectionResetError:
        return True


def test_a_page(serve, capfd):
    server = serve()
    status, headers, body = ask(server, "GET", "/metrics?name=x")
    assert (status, body) == (200, b"a 1\n")
    del headers["Date"]
    assert headers == {
        "Server": "mcrouter",
        "Content-Type": "text/plain; version=0.0.4",
        "Content-Length": "4",
        "Cache-Control": "no-store",
    }
    assert capfd.readouterr() == ("", "")


def test_a_big_page_comes_whole(serve):
    assert ask(serve(), "GET", "/big")[2] == b"x" * 3_000_000


def test_head_has_the_headers_alone(serve):
    status, headers, body = ask(serve(), "HEAD", "/metrics")
    assert (status, headers["Content-Length"], body) == (200, "4", b"")


def test_an_unknown_path_is_told_the_known(serve):
    status, _, body = ask(serve(), "GET", "/nowhere")
    assert (status, body) == (404, b"not here; there is /metrics and /healthz and /broken and /big\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_other_methods_are_refused(serve, method):
    status, headers, body = ask(serve(), method, "/metrics")
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert body == f"{method} is not for here; GET and HEAD are\n".encode()


@pytest.mark.parametrize(
    "junk", [b"get a\r\n", b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/9.9.9\r\n\r\n", b"a b c d\r\n\r\n"]
)
def test_junk_gets_an_error_in_plain_text(serve, junk, capfd):
    server = serve()
    with connect(server) as sock:
        sock.sendall(junk)
        answer = b"".join(iter(lambda: sock.recv(4096), b""))
    assert b"40" in answer or b"505" in answer
    assert b"<html" not in answer.lower()
    assert ask(server, "GET", "/metrics")[0] == 200
    assert capfd.readouterr() == ("", "")


def test_a_page_that_fails_is_logged_and_answered(serve, caplog):
    server = serve()
    with caplog.at_level(logging.ERROR):
        status, _, body = ask(server, "GET", "/broken")
    assert (status, body) == (500, b"the page failed; the router's log says why\n")
    assert "no page today" in caplog.text


def test_health_pages():
    assert health_page(2)[::2] == (200, b"ok, healthy hosts: 2\n")
    assert health_page(0)[::2] == (503, b"no healthy host\n")


def test_health_is_a_status(serve):
    assert ask(serve(), "GET", "/healthz")[0] == 503


def test_a_silent_client_is_cut(serve):
    with connect(serve(timeout=0.05)) as sock:
        assert ended(sock)


def test_a_dripping_client_is_cut(serve):
    """Each byte comes in time; the whole does not."""
    with connect(serve(timeout=0.1)) as sock:

        def cut():
            try:
                sock.sendall(b"G")
            except OSError:
                return True
            return bool(select.select([sock], [], [], 0.01)[0]) and ended(sock)

        until(cut)


def test_a_client_that_leaves_disturbs_nobody(serve, capfd):
    server = serve()
    for request in (b"", b"GET /big HTTP/1.0\r\n\r\n"):
        with connect(server) as sock:
            sock.sendall(request)
    assert ask(server, "GET", "/metrics")[0] == 200
    assert capfd.readouterr() == ("", "")


def test_too_many_clients_are_closed_and_room_is_found_again(serve):
    server = serve(limit=2)
    first, second = connect(server), connect(server)
    with connect(server) as third:
        assert ended(third)
    first.close()

    def answered():
        try:
            return ask(server, "GET", "/metrics")[0] == 200
        except OSError:
            return False

    until(answered)
    second.close()


def test_stop_ends_silent_clients(serve):
    server = serve()
    with connect(server) as sock:
        until(lambda: any(thread.name == "mcrouter-metrics-client" for thread in threading.enumerate()))
        server.stop()
        assert ended(sock)
    with pytest.raises(OSError, match="refused"):
        connect(server)


def test_stop_without_start(serve):
    fds = descriptors()
    server = MetricsServer(("127.0.0.1", 0), PAGES)
    assert server.address[1] > 0
    server.stop()
    assert descriptors() == fds


def test_an_empty_host_is_every_address(serve):
    server = serve(("", 0))
    assert ask(server, "GET", "/metrics")[0] == 200
    if socket.has_dualstack_ipv6():
        try:
            assert ask(server, "GET", "/metrics", host="::1")[0] == 200
        except OSError as error:
            assert error.errno == errno.EADDRNOTAVAIL  # IPv6 without its loopback


def test_a_host_by_name(serve):
    assert ask(serve(("localhost", 0)), "GET", "/metrics", host="localhost")[0] == 200


def test_a_taken_port_is_the_callers_to_tell(serve):
    server = serve()
    with pytest.raises(OSError) as caught:
        MetricsServer(server.address, PAGES)
    assert (caught.value.errno, caught.value.strerror) == (errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def test_a_socket_that_listens_already(serve, tmp_path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    server = serve(listener)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(server.address)
        sock.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert b"".join(iter(lambda: sock.recv(4096), b"")).endswith(b"\r\n\r\na 1\n")


class Scarce(socket.socket):
    """A listener for which there is no descriptor, the first times."""

    refusals = 3

    def accept(self):
        if self.refusals:
            self.refusals -= 1
            raise OSError(errno.EMFILE, "no descriptor")
        return super().accept()


def test_running_out_of_descriptors_passes(serve):
    listener = Scarce()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    assert ask(serve(listener), "GET", "/metrics")[0] == 200
    assert listener.refusals == 0


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_can_let_go(serve):
    before = descriptors()
    server = serve()
    with connect(server) as sock:
        until(lambda: server._clients)
        pid = os.fork()
        if not pid:
            try:
                sock.close()
                server.close_in_child()
                os._exit(0 if descriptors() == before else 1)
            finally:
                os._exit(2)
        assert os.waitpid(pid, 0)[1] == 0
        sock.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert sock.recv(4096).startswith(b"HTTP/1.0 200 OK")
    assert ask(server, "GET", "/metrics")[0] == 200


def test_http_server_is_imported_when_it_starts():
    script = "import sys, json, mcrouter.metrics; print(json.dumps(sorted(sys.modules)))"
    modules = json.loads(subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.PIPE).stdout)
    assert "mcrouter.metrics.server" in modules
    assert not {"http.server", "http", "email", "resource"} & set(modules)


@pytest.mark.parametrize("loops", [1, 2])
def test_health_asks_whether_each_event_loop_runs(loops, monkeypatch):
    monkeypatch.setattr("mcrouter.router._HEALTH_PATIENCE", 0.0)
    with served(1, server_event_loops=loops) as (router, _):
        until(lambda: router._health()[0] == 200)
        monkeypatch.setattr("mcrouter.router._STALLED", -1000.0)  # so that no loop has run
        assert router._health() == (503, "text/plain; charset=utf-8", b"event loops that do not run: %d\n" % loops)


def test_health_waits_a_moment_for_an_event_loop_that_was_paused(monkeypatch):
    with served(1) as (router, _):
        until(lambda: router._health()[0] == 200)
        held, go_on = threading.Event(), threading.Event()
        router._shard.loop.call_soon_threadsafe(lambda: (held.set(), go_on.wait(DEADLINE)))
        held.wait(DEADLINE)
        cell = router._layout.beat
        router._rows[0][cell] -= 100.0
        monkeypatch.setattr("mcrouter.router._HEALTH_PATIENCE", 0.0)
        assert router._health()[0] == 503
        go_on.set()
        monkeypatch.setattr("mcrouter.router._HEALTH_PATIENCE", DEADLINE)
        assert router._health()[0] == 200

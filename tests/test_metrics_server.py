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


MUCH = b"x" * 30_000_000  # more than the sockets take


def broken():
    raise RuntimeError("no page today")


PAGES = {
    "/metrics": lambda: (200, "text/plain; version=0.0.4", b"a 1\n"),
    "/healthz": lambda: health_page(0),
    "/broken": broken,
    "/big": lambda: (200, "text/plain", b"x" * 3_000_000),
    "/huge": lambda: (200, "text/plain", MUCH),
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

    def start(address=("127.0.0.1", 0), pages=PAGES, **options):
        server = MetricsServer(address, pages, **options)
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
    assert (status, body) == (404, b"no such page: expected one of /metrics, /healthz, /broken, /big, /huge\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_other_methods_are_refused(serve, method):
    status, headers, body = ask(serve(), method, "/metrics")
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert body == f"method {method} is not allowed: expected GET or HEAD\n".encode()


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


def test_silent_clients_do_not_keep_others_out(serve):
    """The oldest that has not asked gives its place up; each new one is answered."""
    server = serve(limit=4)
    silent = [connect(server) for _ in range(12)]
    for sock in silent[8:]:
        sock.sendall(b"GET /healthz HTTP/1.0\r\nHal")  # half a head is no request either
    for _ in range(6):
        assert ask(server, "GET", "/metrics")[0] == 200
    assert all(map(ended, silent[:8]))
    for sock in silent:
        sock.close()


def test_of_those_that_hold_places_the_ones_that_have_not_asked_go_first(serve):
    server = serve(limit=3)
    with connect(server) as reads, connect(server) as silent, connect(server) as late:
        reads.sendall(b"GET /huge HTTP/1.0\r\n\r\n")
        until(lambda: [client.has_asked for client in server._clients] == [True, False, False])
        assert ask(server, "GET", "/metrics")[0] == 200
        assert ended(silent)
        assert not select.select([late], [], [], 0)[0]
        assert b"".join(iter(lambda: reads.recv(65536), b"")).endswith(MUCH)


def test_clients_that_do_not_read_their_page_do_not_keep_others_out(serve):
    server = serve(limit=2)
    slow = [connect(server) for _ in range(2)]
    for sock in slow:
        sock.sendall(b"GET /huge HTTP/1.0\r\n\r\n")
    until(lambda: len(server._clients) == 2 and all(client.has_asked for client in server._clients))
    assert ask(server, "GET", "/metrics")[0] == 200
    assert len(b"".join(iter(lambda: recv(slow[0]), b""))) < len(MUCH), "the oldest"
    slow[0].close()
    assert b"".join(iter(lambda: recv(slow[1]), b"")).endswith(MUCH)
    slow[1].close()


def recv(sock):
    """Some of what comes; nothing when it has ended, in whatever way."""
    try:
        return sock.recv(65536)
    except ConnectionResetError:
        return b""


def test_while_pages_are_made_there_is_no_room(serve):
    """Their threads cannot be ended; a client more is closed, and is answered when one of them is done."""
    release = threading.Event()

    def page():
        release.wait(LONG)
        return 200, "text/plain", b"late\n"

    server = serve(pages={**PAGES, "/slow": page}, limit=2)
    waiting = [connect(server) for _ in range(2)]
    for sock in waiting:
        sock.sendall(b"GET /slow HTTP/1.0\r\n\r\n")
    until(lambda: len(server._clients) == 2 and all(client.has_asked for client in server._clients))
    with connect(server) as third:
        assert ended(third)
    assert len(server._clients) == 2
    release.set()
    until(lambda: not any(client.thread.is_alive() for client in server._clients))
    assert ask(server, "GET", "/metrics")[0] == 200
    for sock in waiting:
        sock.close()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /metrics HTTP/1.0\r\n" + b"X: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET /metrics HTTP/1.0\r\n" + b"X: %s\r\n" % (b"x" * 1000) * 20 + b"\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.0\r\n\r\n",
        b"x" * 20_000,
    ],
)
def test_a_head_that_is_too_long_is_refused(serve, head, capfd, caplog):
    with connect(serve()) as sock:
        sock.sendall(head)
        answer = b"".join(iter(lambda: sock.recv(4096), b""))
    assert b"431 " in answer or b"400 " in answer
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_many_requests_at_once_get_one_answer(serve):
    """It arrives whole, although most of what was sent is never looked at."""
    with connect(serve()) as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 20_000)
        answer = b"".join(iter(lambda: sock.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.0 200") and answer.endswith(b"\r\n\r\na 1\n")


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


def test_http_server_is_not_imported_with_it():
    script = "import sys, json, mcrouter.metrics.server; print(json.dumps(sorted(sys.modules)))"
    modules = json.loads(subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.PIPE).stdout)
    assert "mcrouter.metrics.server" in modules
    assert not {"http.server", "http", "email", "resource"} & set(modules)


@pytest.mark.parametrize("loops", [1, 2])
def test_health_asks_whether_each_event_loop_runs(loops, monkeypatch):
    monkeypatch.setattr("mcrouter.server.pages._HEALTH_PATIENCE", 0.0)
    with served(1, server_event_loops=loops) as (router, _):
        until(lambda: router._pages.health()[0] == 200)
        monkeypatch.setattr("mcrouter.server.pages._STALLED", -1000.0)  # so that no loop has run
        assert router._pages.health() == (503, "text/plain; charset=utf-8", b"event loops that do not run: %d\n" % loops)


def test_health_waits_a_moment_for_an_event_loop_that_was_paused(monkeypatch):
    with served(1) as (router, _):
        until(lambda: router._pages.health()[0] == 200)
        held, go_on = threading.Event(), threading.Event()
        router._worker.loop.call_soon_threadsafe(lambda: (held.set(), go_on.wait(DEADLINE)))
        held.wait(DEADLINE)
        cell = router._layout.beat
        router._rows[0][cell] -= 100.0
        monkeypatch.setattr("mcrouter.server.pages._HEALTH_PATIENCE", 0.0)
        assert router._pages.health()[0] == 503
        go_on.set()
        monkeypatch.setattr("mcrouter.server.pages._HEALTH_PATIENCE", DEADLINE)
        assert router._pages.health()[0] == 200

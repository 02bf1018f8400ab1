"""A real router asks whom `explain` says, for what, and answers what `explain` says: drawn policies, by way of reloads.

The hosts hold their answers back, and the test lets them go one by one, each when the router has had the one before it,
so that what comes first is not left to chance.
"""

import contextlib
import json
import os
import queue
import re
import socket
import threading
import urllib.request

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mcrouter import Router, Settings, load_config
from mcrouter.explain.answers import FAILS, MISSES, UNHEALTHY, WELL, answer
from mcrouter.explain.asking import parsed
from mcrouter.explain.asking import requests as asking
from mcrouter.explain.dry import CLIENT, DryRun
from mcrouter.proto.commands import BY_VERB, META_STORE, STORE, STORE_CAS
from tests.explain.trees import configs, requests
from tests.support.processes import DEADLINE, free_port, until

TREES = int(os.environ.get("CASES", "40"))
HOSTS = 4  # and one that is not there
PROBES = {b"version": b"VERSION 1.6\r\n", b"mn": b"MN\r\n", b"stats": b"STAT pid 1\r\nEND\r\n"}
SIZE_AT = {STORE: 4, STORE_CAS: 4, META_STORE: 2}


class Backend:
    """A host that answers probes by itself and everything else when told to."""

    def __init__(self):
        self.arrived, self.replies, self.sent = queue.Queue(), queue.Queue(), queue.Queue()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.name = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._socks, self._threads = [], []
        self._start(self._accept)

    def _start(self, target, *args):
        self._threads.append(threading.Thread(target=target, args=args, daemon=True))
        self._threads[-1].start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # `sent` means that the router has it
                self._socks.append(sock)
                self._start(self._serve, sock)

    def _serve(self, sock):
        with sock, sock.makefile("rb") as lines, contextlib.suppress(OSError, queue.Empty):
            while True:
                line = lines.readline()
                words = line.split()
                if not words:
                    return
                if words[0] in PROBES:
                    sock.sendall(PROBES[words[0]])
                    continue
                size_at = SIZE_AT.get(BY_VERB[words[0]].request)
                data = line + (lines.read(int(words[size_at]) + 2) if size_at else b"")
                self.arrived.put(data)
                sock.sendall(self.replies.get(timeout=DEADLINE))
                self.sent.put(None)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._socks:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(DEADLINE)


def anything(hosts):
    """A config over these hosts."""
    return {"orderedPool": hosts, "route": "DefaultRoute"}


class Bench:
    """A router before scripted hosts, of which the last is not there."""

    def __init__(self, stack):
        self.backends = {}
        for _ in range(HOSTS):
            backend = Backend()
            stack.callback(backend.close)
            self.backends[backend.name] = backend
        self._number = 0
        self.gone = f"127.0.0.1:{free_port()}"
        self.hosts = [*self.backends, self.gone]
        given = Settings(listen="tcp://127.0.0.1:0", metrics_listen_addr="127.0.0.1:0", upstream_connections=1,
                         healthcheck_interval=3600, timeout_ms=10_000, log_level="error")  # fmt: skip
        self.router = stack.enter_context(Router(load_config(json.dumps(anything(self.hosts))), given))
        address = ("127.0.0.1", int(self.router.addresses[0].rpartition(":")[2]))
        self._clients = [stack.enter_context(socket.create_connection(address, DEADLINE)) for _ in range(2)]
        self._replies = [stack.enter_context(sock.makefile("rb")) for sock in self._clients]

    def _healthy(self):
        """How many hosts are."""
        with urllib.request.urlopen(f"http://{self.router.metrics_address}/metrics", timeout=DEADLINE) as page:
            return int(float(re.search(rb"^mcrouter_upstream_healthy_hosts_total (\S+)$", page.read(), re.M)[1]))

    def _barrier(self):
        """Returns when the router has had all that was sent to it before."""
        self._clients[1].sendall(b"get __mcrouter__.version\r\n")
        while self._replies[1].readline() != b"END\r\n":
            pass

    def agrees(self, config, words, host_condition):
        """The router does what a dry run says."""
        self.router.reload(config)
        there = [host.text for host in config.hosts if host.text != self.gone]
        until(lambda: self._healthy() == len(there), "the host that is gone to be missed")
        self._number += 1
        (data,) = asking([words[0], *(f"{key}|#|{self._number}" for key in words[1:])])  # nothing of it can be an earlier one's
        host_condition = {**host_condition, self.gone: UNHEALTHY}
        expected = DryRun(config, host_condition).ask(data)
        self._clients[0].sendall(data)
        for one in expected.asked:
            backend = self.backends[one.host]
            came = backend.arrived.get(timeout=DEADLINE)
            assert came.partition(b"\r\n")[0] == one.line, (came, expected)
            backend.replies.put(answer(parsed(came, CLIENT), one.host, host_condition[one.host], 0)[0])
            backend.sent.get(timeout=DEADLINE)
            self._barrier()
        got = self._replies[0].read(len(expected.reply))
        assert got == expected.reply, (got, expected)
        assert [name for name, backend in self.backends.items() if not backend.arrived.empty()] == []


@pytest.fixture(scope="module")
def bench():
    with contextlib.ExitStack() as stack:
        yield Bench(stack)


@settings(max_examples=TREES, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(drawn=st.data())
def test_the_router_does_what_explain_says(bench, drawn):
    config = load_config(json.dumps(drawn.draw(configs(bench.hosts))))
    host_condition = {name: drawn.draw(st.sampled_from([WELL, MISSES, FAILS])) for name in bench.backends}
    bench.agrees(config, drawn.draw(requests), host_condition)

"""Many clients: as many as the administrator allows, and no spinning when that is reached."""

import resource
import socket
from pathlib import Path

from tests.support.processes import DEADLINE, config, until


def descriptors(process):
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


def test_the_limit_of_descriptors_is_raised_as_far_as_may_be(memcacheds, router):
    proxy = router(config([f"127.0.0.1:{memcacheds(1)[0].port}"]))
    soft, hard = resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE)
    assert soft == hard


def test_without_descriptors_clients_wait_and_it_says_so_once(memcacheds, router):
    proxy = router(config([f"127.0.0.1:{memcacheds(1)[0].port}"]), "-L", "off")
    proxy.ask(b"get a\r\n")
    most = descriptors(proxy.process) + 10
    resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE, (most, most))
    clients = [socket.create_connection(("127.0.0.1", proxy.port), DEADLINE) for _ in range(30)]
    for client in clients:
        client.sendall(b"get a\r\n")
    until(lambda: "cannot accept clients" in proxy.log())
    for client in clients:  # the first ten are served at once, the others when there is room
        assert client.recv(100) == b"END\r\n"
        client.close()
    until(lambda: "all clients that waited are accepted" in proxy.log())
    assert proxy.log().count("cannot accept clients") == 1
    assert proxy.ask(b"get a\r\n") == b"END\r\n"

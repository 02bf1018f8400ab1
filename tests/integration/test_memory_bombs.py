"""Small requests with large answers, to a real router before two real memcacheds: what its process takes at the most,
and that another client is answered meanwhile."""

import contextlib
import socket

import pytest

from tests.support.processes import DEADLINE, Memcached, RouterProcess, config

BOUND = 50_000_000  # --max-memory
BUFFERS = 2 * (1 << 20)  # hosts x connections x event loops x --buffer-size
ALL_IMPORTED = 29 << 20  # bytes; a process that has just started does not have all modules yet
SMALL = b"VALUE small 0 5\r\nhello\r\nEND\r\n"


def peak(pid):
    """The most bytes of memory that a process has had so far (proc(5), VmHWM)."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


class Client:
    """A client with little room for answers, which it reads when it is told to."""

    def __init__(self, port):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(("127.0.0.1", port))

    def ask(self, data, end):
        """Sends, and reads until that comes."""
        self.sock.sendall(data)
        answer = b""
        while not answer.endswith(end):
            more = self.sock.recv(1 << 20)
            assert more, f"closed after {answer[-100:]!r}"
            answer += more
        return answer


@pytest.fixture(scope="module")
def hosts():
    with contextlib.ExitStack() as stack:
        members = [Memcached("-I", "4m", "-m", "512").start() for _ in range(2)]
        for host in members:
            stack.callback(host.stop)
        yield members


@pytest.fixture
def served(hosts):
    policy = config([f"127.0.0.1:{host.port}" for host in hosts], "HashRoute")
    router = RouterProcess(policy, "--max-memory", str(BOUND), "-r", "3000")
    yield router
    router.stop()


def fill(client, count, size):
    """Stores so many values, and a small one; returns the keys of the others."""
    keys = [b"k%d" % number for number in range(count)]
    for key in keys:
        client.ask(b"set %b 0 0 %d\r\n%b\r\n" % (key, size, b"v" * size), b"STORED\r\n")
    client.ask(b"set small 0 0 5\r\nhello\r\n", b"STORED\r\n")
    return keys


def pipelined(keys):
    return b"".join(b"get %b\r\n" % key for key in keys)


# Name: (keys, bytes of a value, clients, what each of them asks at once), and what no client reads.
BOMBS = {
    "one key 3,000 times": (1, 100_000, 1, lambda keys: b"get" + b" %b" % keys[0] * 3000 + b"\r\n"),
    "1,500 keys": (1500, 100_000, 1, lambda keys: b"get " + b" ".join(keys) + b"\r\n"),
    "one client, 2,000 gets": (1, 1_000_000, 1, lambda keys: pipelined(keys * 2000)),
    "200 clients, 20 gets each": (20, 1_000_000, 200, pipelined),
    "200 clients, gets before sets": (20, 1_000_000, 200, lambda keys: b"".join(
        b"get %b\r\nset small 0 0 5\r\nhello\r\n" % key for key in keys)),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_not_read_is_bounded(served, name):
    count, size, clients, asked = BOMBS[name]
    with contextlib.ExitStack() as stack:
        honest = Client(served.port)
        stack.callback(honest.sock.close)
        keys = fill(honest, count, size)
        before = max(peak(served.process.pid), ALL_IMPORTED)
        for _ in range(clients):
            bomb = Client(served.port)
            stack.callback(bomb.sock.close)
            bomb.sock.sendall(asked(keys))
        for _ in range(500):
            assert honest.ask(b"get small\r\n", b"END\r\n") == SMALL
        large = honest.ask(b"get %b\r\n" % keys[-1], b"END\r\n")
        assert large == b"VALUE %b 0 %d\r\n%b\r\nEND\r\n" % (keys[-1], size, b"v" * size)
        assert peak(served.process.pid) <= before + 1.5 * BOUND + BUFFERS

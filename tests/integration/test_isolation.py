"""Order and isolation: 50 clients pipeline mixes whose values name client, key and sequence."""

import random
import socket
import threading

import pytest

from tests.support.processes import DEADLINE, config

CLIENTS, ROUNDS, KEYS = 50, 12, 8
# A client reads only when it has sent a whole batch. Room for most answers, and patience: where its window has closed, the
# kernel was seen to hold back for 15 s what the router had written, upon a lost probe or retransmission (nstat).
ROOM, PATIENCE = 1 << 20, 4 * DEADLINE


class Model:
    """One client: what it asks, and what it must be answered if it alone uses its keys."""

    def __init__(self, number):
        self.random = random.Random(number)
        self.number = number
        self.sequence = 0
        self.values = {}

    def key(self):
        return b"c%dk%d" % (self.number, self.random.randrange(KEYS))

    def value(self, key):
        self.sequence += 1
        text = b"client %d key %b sequence %d " % (self.number, key, self.sequence)
        return text * self.random.choice([1, 1, 5, self.random.randrange(1, 40), self.random.randrange(1, 400)])

    def found(self, keys):
        blocks = (b"VALUE %b 0 %d\r\n%b\r\n" % (key, len(self.values[key]), self.values[key])
                  for key in keys if key in self.values)  # fmt: skip
        return b"".join(blocks) + b"END\r\n"

    def command(self):
        """(bytes to send, bytes to be answered)."""
        key, choice = self.key(), self.random.random()
        quiet = self.random.random() < 0.3
        if choice < 0.35:
            value = self.values[key] = self.value(key)
            head = b"set %b 0 0 %d%b\r\n" % (key, len(value), b" noreply" if quiet else b"")
            return head + value + b"\r\n", b"" if quiet else b"STORED\r\n"
        if choice < 0.45:
            known = self.values.pop(key, None) is not None
            answer = b"DELETED\r\n" if known else b"NOT_FOUND\r\n"
            return b"delete %b%b\r\n" % (key, b" noreply" if quiet else b""), b"" if quiet else answer
        keys = [key] if choice < 0.9 else [self.key() for _ in range(self.random.randrange(2, 10))]
        return b"get " + b" ".join(keys) + b"\r\n", self.found(keys)

    def batch(self):
        commands = [self.command() for _ in range(self.random.choice([1, 1, 3, 20, 60]))]
        return b"".join(c for c, _ in commands), b"".join(a for _, a in commands)


def converse(port, number, wrong):
    model = Model(number)
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as sock, sock.makefile("rb") as replies:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        for turn in range(ROUNDS):
            data, expected = model.batch()
            at = 0
            while at < len(data):
                end = model.random.choice([len(data), at + model.random.randrange(1, 200), at + 9000])
                sock.sendall(data[at:end])
                at = end
            answer = replies.read(len(expected))
            if answer != expected:
                wrong.append((number, turn, answer[:300], expected[:300]))
                return


@pytest.mark.parametrize("flags", [("-n", "1"), ("-n", "2"), ("-b", "4096")], ids=" ".join)
@pytest.mark.parametrize("route", ["DefaultRoute", ""])
def test_no_answer_is_foreign_or_out_of_order(memcacheds, router, flags, route):
    hosts = memcacheds(3 if not route else 1)
    proxy = router(config([f"127.0.0.1:{host.port}" for host in hosts], route), *flags, "-C", "3", "-r", "10000")
    wrong = []
    clients = [threading.Thread(target=converse, args=(proxy.port, number, wrong)) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert not wrong, wrong[0]
    assert proxy.stop() == 0

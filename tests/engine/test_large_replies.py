"""Gets of many keys whose values are too large to be held: asked again key by key, never later than what follows."""

import json
import threading

import pytest

from mcrouter import Router, Settings, load_config

from .hosts import ThreadedHost, client

DEADLINE = 10
BUFFER, LARGE = 4096, 6000


class Gated(ThreadedHost):
    """memcached's get and set. `holds` is where the next get stops, 'all' before its answer or 'half' in the midst of
    it, until `more` is set; `fails` are keys that get an error."""

    def __init__(self):
        self.values, self.asked, self.fails = {}, [], set()
        self.holds = None
        self.stopped, self.more = threading.Event(), threading.Event()
        super().__init__()

    def serve(self, sock):
        with sock.makefile("rb") as lines:
            for line in lines:
                self._answer(line.split(), lines, sock)

    def _answer(self, words, lines, sock):
        if words[0] == b"version":
            sock.sendall(b"VERSION 1\r\n")
        elif words[0] == b"set":
            self.values[words[1]] = lines.read(int(words[4]) + 2)[:-2]
            self.asked.append(b" ".join(words[:2]))
            sock.sendall(b"STORED\r\n")
        else:
            self.asked.append(b" ".join(words))
            holds, self.holds = self.holds, None
            answer = self._found(words[1:])
            half = len(answer) // 2 if holds == "half" else 0
            sock.sendall(answer[:half])
            if holds is not None:
                self.stopped.set()
                assert self.more.wait(DEADLINE)
            sock.sendall(answer[half:])

    def _found(self, keys):
        if self.fails.intersection(keys):
            return b"SERVER_ERROR busy\r\n"
        found = ((key, self.values[key]) for key in keys if key in self.values)
        return b"".join(block(key, value) for key, value in found) + b"END\r\n"


def block(key, value):
    return b"VALUE %b 0 %d\r\n%b\r\n" % (key, len(value), value)


@pytest.fixture
def served():
    """(two hosts, a client of a router that spreads keys over them, the keys of each host)."""
    one, two = Gated(), Gated()
    config = {"pools": {"A": {"servers": [f"127.0.0.1:{host.port}" for host in (one, two)]}}, "route": "PoolRoute|A"}
    settings = Settings(listen="tcp://127.0.0.1:0", metrics_listen_addr="off", upstream_connections=1, timeout_ms=9000,
                        buffer_size=BUFFER, healthcheck_interval=1000.0)  # fmt: skip
    with one, two, Router(load_config(json.dumps(config)), settings) as router, client(router) as wire:
        for number in range(40):
            assert wire.send(b"set k%d 0 0 3\r\nold\r\n" % number).read_until(b"\n") == b"STORED\r\n"
        yield (one, two), wire, (sorted(one.values), sorted(two.values))


def test_a_get_that_is_asked_again_does_not_see_the_set_behind_it(served):
    """The set was sent, and done at one host, before the other host's part turns out to be too large."""
    (_, two), wire, ((a, *_), (b, *_)) = served
    two.values[b], two.holds = b"B" * LARGE, "all"
    wire.send(b"get %b %b\r\nset %b 0 0 3\r\nnew\r\n" % (a, b, a))
    assert two.stopped.wait(DEADLINE)
    two.more.set()
    answer = block(a, b"old") + block(b, b"B" * LARGE) + b"END\r\nSTORED\r\n"
    assert wire.read_exactly(len(answer)) == answer


def test_a_set_waits_for_a_get_that_is_to_be_asked_again(served):
    """Of two parts one is too large, and the other is still due when the set comes."""
    (one, two), wire, ((a, *_), (b, *_)) = served
    two.values[b] = b"B" * LARGE
    one.holds, two.holds = "all", "half"
    wire.send(b"get %b %b\r\n" % (a, b))
    assert one.stopped.wait(DEADLINE) and two.stopped.wait(DEADLINE)
    wire.send(b"set %b 0 0 3\r\nnew\r\n" % a)
    two.more.set()
    one.more.set()
    answer = block(a, b"old") + block(b, b"B" * LARGE) + b"END\r\nSTORED\r\n"
    assert wire.read_exactly(len(answer)) == answer


@pytest.mark.parametrize("size", [3, LARGE], ids=["small", "large"])
def test_of_a_get_that_fails_in_part_the_hits_are_the_answer_whatever_their_size(served, size):
    (one, two), wire, ((a, c, *_), (b, *_)) = served
    for key in (a, c):
        one.values[key] = b"v" * size
    two.fails.add(b)
    answer = block(a, b"v" * size) + block(c, b"v" * size) + b"END\r\n"
    for keys in ((a, b, c), (b, a, c), (a, c, b)):
        assert wire.send(b"get %b\r\n" % b" ".join(keys)).read_exactly(len(answer)) == answer
    assert wire.send(b"get %b\r\n" % b).read_until(b"\n") == b"SERVER_ERROR busy\r\n"


@pytest.mark.parametrize("size", [3, LARGE], ids=["small", "large"])
def test_of_a_get_that_finds_nothing_and_fails_in_part_the_failure_is_the_answer(served, size):
    (one, two), wire, ((a, *_), (b, c, *_)) = served
    two.values[b] = b"v" * size
    two.values.pop(c)
    one.fails.add(a)
    assert wire.send(b"get %b %b\r\n" % (a, c)).read_until(b"\n") == b"SERVER_ERROR busy\r\n"
    assert wire.send(b"get %b %b\r\n" % (b, a)).read_until(b"END\r\n") == block(b, b"v" * size) + b"END\r\n"

"""A scripted backend: a small memcached that spoils the replies to chosen requests, at the byte that a test names.

A request that names the key of a `Fault` has its reply sent up to byte `at`; there the fault strikes:

    stall     nothing more comes on the connection and nothing is read from it, until `go`; then it is closed
    drip      the rest comes byte by byte
    cut       the connection is closed; reset: with a RST
    garbage   bytes that are no reply come instead of the rest
    twice     the whole reply has been sent, and what comes up to `at` is its beginning once more
    late      the rest comes at `go`
    refuse    the connection is closed and so is the listener, until `listen`
    mute      the connection is closed; the next one is accepted and never answered, until `go`

Everything else, the router's own probes among it, is answered as it should be. Each connection has a thread of its own,
so that a fault reads like what it does. A backend knows whether it has anything to do, so that the router's clock can
wait for it (clock.py).
"""

import collections
import contextlib
import select
import socket
import struct
import threading
import time

DEADLINE = 10.0  # seconds that a fault waits for its `go`
DRIP_EVERY = 0.0002  # seconds
GARBAGE = b"\0#" * 40 + b"\r\n"  # longer than any value beside it: cannot be taken for the rest of one
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a RST
FAULTS = ("stall", "drip", "cut", "reset", "garbage", "twice", "late", "refuse", "mute")
STORES = (b"set", b"ms")


class Fault:
    """What becomes of the replies to the next `times` requests that name a key, after some that it may `spare`.

    The first one waits until `behind` more requests have come on its connection and are done. A write whose reply is spoilt is
    `done` or not. `arrived` tells that the first one has, `struck` that a listener is closed; `go` is the test's to set.
    """

    def __init__(self, kind, at=0, behind=0, times=1, done=True, spare=0):
        assert kind in FAULTS, kind
        self.kind, self.at, self.behind, self.times, self.done, self.spare = kind, at, behind, times, done, spare
        self.arrived, self.struck, self.go = (threading.Event() for _ in range(3))

    def spoils(self, reply):
        """Whether the reply does not get through whole."""
        return self.at < len(reply) and self.kind not in ("drip", "late", "twice")

    def __repr__(self):
        return f"<{self.kind} at {self.at}, {self.times} times>"


class Store:
    """What a backend knows: key to value, and the commands on it."""

    def __init__(self, values=()):
        self.values = dict(values)

    def answer(self, words, data):
        """The reply to a request: the words of its line, its data block."""
        return getattr(self, words[0].decode())(words, data)

    def get(self, words, _data):
        found = [(key, self.values[key]) for key in words[1:] if key in self.values]
        cas = b" 7" if words[0] == b"gets" else b""
        blocks = (b"VALUE %b 0 %d%b\r\n%b\r\n" % (key, len(value), cas, value) for key, value in found)
        return b"".join([*blocks, b"END\r\n"])

    gets = get

    def set(self, words, data):
        self.values[words[1]] = data
        return b"STORED\r\n"

    def delete(self, words, _data):
        return b"NOT_FOUND\r\n" if self.values.pop(words[1], None) is None else b"DELETED\r\n"

    def incr(self, words, _data):
        if words[1] not in self.values:
            return b"NOT_FOUND\r\n"
        self.values[words[1]] = b"%d" % (int(self.values[words[1]]) + int(words[2]))
        return self.values[words[1]] + b"\r\n"

    def touch(self, words, _data):
        return b"TOUCHED\r\n" if words[1] in self.values else b"NOT_FOUND\r\n"

    def mg(self, words, _data):
        value = self.values.get(words[1])
        if value is None:
            return b"EN\r\n"
        named = b" k" + words[1] if b"k" in words[2:] else b""
        return b"VA %d%b\r\n%b\r\n" % (len(value), named, value) if b"v" in words[2:] else b"HD%b\r\n" % named

    def ms(self, words, data):
        self.set(words, data)
        return b"HD\r\n"

    def md(self, words, _data):
        return b"NF\r\n" if self.values.pop(words[1], None) is None else b"HD\r\n"

    def mn(self, _words, _data):
        return b"MN\r\n"

    def stats(self, _words, _data):
        return b"STAT pid 1\r\nEND\r\n"  # so nobody can think that it has just been started

    def version(self, _words, _data):
        return b"VERSION 1.6.0-scripted\r\n"


class Post:
    """A thread's socket, and what the thread waits for: whether it has anything to do is known at any time.

    A thread waits here before it reads, and counts as at work from before it takes bytes off the socket until it waits
    again: so there is no moment in which a request is neither on the socket nor at work.
    """

    def __init__(self, sock):
        self.sock = sock
        self._held = b""
        self._mask = None  # what it waits for on the socket; None: nothing
        self._event = None  # what it waits for instead

    def has_work(self):
        """Whether its thread is at work, or will be as soon as it gets a turn."""
        mask, event = self._mask, self._event
        if mask is None:
            return event is None or event.is_set()
        return _is_ready(self.sock, mask, 0)

    def wait(self, event):
        """Waits for an event, for as long as a fault may."""
        self._event = event
        event.wait(DEADLINE)
        self._event = None

    def wait_for(self, mask):
        """Waits until the socket can be read (POLLIN) or written (POLLOUT)."""
        self._mask = mask
        _is_ready(self.sock, mask, None)
        self._mask = None

    def send(self, data):
        """Sends all of it."""
        while data:
            try:
                data = data[self.sock.send(data, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                self.wait_for(select.POLLOUT)

    def readline(self):
        """The next line, with its end; what there is at the end of the connection."""
        return self._take(lambda held: held.find(b"\n") + 1)

    def read(self, size):
        """So many bytes; fewer at the end of the connection."""
        return self._take(lambda held: size if len(held) >= size else 0)

    def _take(self, end):
        while not end(self._held):
            self.wait_for(select.POLLIN)
            data = self.sock.recv(1 << 16)
            if not data:
                break
            self._held += data
        at = end(self._held) or len(self._held)
        taken, self._held = self._held[:at], self._held[at:]
        return taken


def _is_ready(sock, mask, patience):
    number = sock.fileno()
    if number < 0:
        return False
    poll = select.poll()
    poll.register(number, mask)
    return bool(poll.poll(patience))


class Backend:
    """The backend, as a context manager. `store` is what it knows, `faults` what is to go wrong, by key; `seen` counts
    how often each request line came."""

    def __init__(self, values=()):
        self.store = Store(values)
        self.faults = {}
        self.seen = collections.Counter()
        self.port = 0
        self._lock = threading.Lock()
        self._waiting = []  # faults that have struck and may be waiting for their `go`
        self._mute = []  # faults whose next connection is not to be answered
        self._posts = set()
        self._threads = []
        self._listener = None

    def __enter__(self):
        self.listen()
        return self

    def __exit__(self, *_):
        self.refuse()
        self.release()
        with self._lock:
            for post in self._posts:
                with contextlib.suppress(OSError):
                    post.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(DEADLINE)
            assert not thread.is_alive(), "a thread of the backend hangs"

    def fault(self, key, *args, **kwargs):
        """Spoils the reply to the next request that names `key`; returns the Fault."""
        fault = self.faults[key] = Fault(*args, **kwargs)
        return fault

    def release(self):
        """Lets every fault go that waits, and forgets those that have not struck."""
        with self._lock:
            self.faults.clear()
            for fault in self._waiting:
                fault.go.set()
            self._waiting, self._mute = [], []

    def listen(self):
        """Takes connections, at first and after `refuse`."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self.port = self._listener.getsockname()[1]
            self._start(self._accept, Post(self._listener))

    def refuse(self):
        """Connections are refused from now on."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts, which closes it

    def has_work(self):
        """Whether there is anything that it has not done yet, but for what a fault holds back."""
        with self._lock:
            posts = list(self._posts)
        return any(post.has_work() for post in posts)

    def _start(self, target, post):
        with self._lock:
            self._posts.add(post)
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=self._man, args=(target, post), name=f"backend {self.port}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _man(self, target, post):
        with post.sock, contextlib.suppress(OSError):
            target(post)
        with self._lock:
            self._posts.discard(post)

    def _accept(self, post):
        while True:
            post.wait_for(select.POLLIN)
            sock, _ = post.sock.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._start(self._serve, Post(sock))

    def _serve(self, post):
        with self._lock:
            mute = self._mute.pop() if self._mute else None
        if mute is not None and not mute.go.is_set():
            post.wait(mute.go)
        else:
            self._talk(post)

    def _talk(self, post):
        while True:
            words, data = read_request(post)
            if not words:
                return
            fault = self._fault(words)
            reply = self._done(words, data, fault)
            if fault is None:
                post.send(reply)
                continue
            fault.arrived.set()
            behind, fault.behind = fault.behind, 0
            later = b"".join(self._done(*read_request(post)) for _ in range(behind))
            if not self._strike(post, reply, fault):
                return
            post.send(later)

    def _done(self, words, data, fault=None):
        """The reply to a request, which is done; a write of which the reply is to be spoilt may not be."""
        self.seen[b" ".join(words)] += 1
        reply = None
        if fault is not None and not fault.done:
            reply = Store(self.store.values).answer(words, data)
        if reply is None or not fault.spoils(reply):
            reply = self.store.answer(words, data) if words else b""
        return reply

    def _fault(self, words):
        """The fault that concerns a request."""
        with self._lock:  # one that is found has its `go` from any `release` that comes later
            for key in words[1:]:
                fault = self.faults.get(key)
                if fault is not None and fault.spare:
                    fault.spare -= 1
                elif fault is not None and fault.times:
                    fault.times -= 1
                    self._waiting.append(fault)
                    return fault
        return None

    def _strike(self, post, reply, fault):
        """Sends as much as the fault lets through, in its way; whether the connection goes on."""
        kind, first, rest = fault.kind, reply[: fault.at], reply[fault.at :]
        if kind == "twice":
            first, rest = reply + first, b""
        post.send(first)
        if kind == "garbage":
            post.send(GARBAGE)
        elif kind == "drip":
            for at in range(len(rest)):
                time.sleep(DRIP_EVERY)
                post.send(rest[at : at + 1])
        elif kind in ("late", "stall"):
            post.wait(fault.go)
            if kind == "late":
                post.send(rest)
        elif kind == "reset":
            post.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        elif kind == "refuse":
            with self._lock:  # not after a `release`, upon which somebody relies on connections
                if not fault.go.is_set():
                    self.refuse()
            fault.struck.set()
        elif kind == "mute":
            with self._lock:
                if not fault.go.is_set():
                    self._mute.append(fault)
        return kind in ("garbage", "drip", "late", "twice")


def read_request(post):
    """The words of the next request's line and its data; none at the end of the connection."""
    words = post.readline().split()
    if not words or words[0] not in STORES:
        return words, b""
    size = int(words[4 if words[0] == b"set" else 2])
    data = post.read(size + 2)
    return (words, data[:-2]) if len(data) == size + 2 else ([], b"")

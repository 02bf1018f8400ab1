"""A reply that arrives in two reads, cut between a value and its END: the case by which the kind was found."""

import contextlib
import socket
import threading
import time

from havoc.relay import Unread

from tests.support.processes import DEADLINE, RouterProcess, config
from tests.support.wire import Wire

ALICE = b"VALUE alice 0 15\r\nsecret-of-alice\r\n"


class Host(threading.Thread):
    """A scripted host; while `split` is set, the END of alice's value comes once the router has read all before it."""

    def __init__(self):
        super().__init__(daemon=True)
        self.split = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def run(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.join(DEADLINE)

    def _serve(self, sock):
        with sock, sock.makefile("rb") as lines, Unread() as unread, contextlib.suppress(OSError):
            for line in lines:
                words = line.split()
                if words == [b"get", b"alice"] and self.split:
                    sock.sendall(ALICE)
                    sent = time.monotonic()
                    while unread.by_peer(sock, sent):
                        time.sleep(0.0005)
                    sock.sendall(b"END\r\n")
                else:
                    sock.sendall(self._answer(*words[:2]))

    @staticmethod
    def _answer(verb, key=b""):
        return {
            b"version": b"VERSION 1.6.18\r\n",
            b"mn": b"MN\r\n",
            b"get": ALICE + b"END\r\n",
            b"mg": b"VA 3 k%b\r\nbob\r\n" % key,
            b"delete": b"DELETED\r\n",
        }[verb]


def test_the_next_client_gets_its_own_answer():
    host = Host()
    host.start()
    router = RouterProcess(config([f"127.0.0.1:{host.port}"], "DefaultRoute"))
    try:
        with Wire(router.port) as alice, Wire(router.port) as bob:
            whole = ALICE + b"END\r\n"
            for _ in range(40):  # until replies of this size are expected
                assert alice.send(b"get alice\r\n").read_exactly(len(whole)) == whole
            host.split = True
            for _ in range(40):
                assert alice.send(b"get alice\r\n").read_until(b"END\r\n") == whole
                assert bob.send(b"delete x\r\n").read_until(b"\n") == b"DELETED\r\n"
                assert bob.send(b"mg bob k v\r\n").read_exactly(16) == b"VA 3 kbob\r\nbob\r\n"
    finally:
        router.stop()
        host.stop()

"""A host of a thread a connection that answers as memcached does, and lets a test look at, or change, what is said."""

import contextlib
import socket
import threading

from mcrouter.testing.protocol import Conversation
from mcrouter.testing.store import Store
from tests.support.processes import free_port


class TalkingHost:
    """Listens on a port of its own; use it in a `with`. `hear(data, conversation)` is what a connection that has read
    `data` is to say; `conversation` is what it has said and heard so far. A conversation that is `closed` is hung up."""

    def __init__(self):
        self.store = Store()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def begin(self):
        """What is remembered of a new connection."""
        return Conversation(self.store)

    def end(self, conversation):
        """The connection is over."""

    def hear(self, data, conversation):
        """As memcached does."""
        return conversation.receive(data)

    def hold(self, data):
        """Takes requests as if a connection had brought them."""
        with self.lock:
            return Conversation(self.store).receive(data)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock = self.listener.accept()[0]
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        conversation = self.begin()
        with contextlib.suppress(OSError), sock, contextlib.ExitStack() as stack:
            stack.callback(self.end, conversation)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                data = sock.recv(1 << 18)
                if not data:
                    return
                with self.lock:
                    answer = self.hear(data, conversation)
                sock.sendall(answer)
                if conversation.closed:  # what has been said must not be lost by a reset
                    sock.shutdown(socket.SHUT_WR)
                    while sock.recv(1 << 18):
                        pass
                    return


def refusing_address():
    """An address that refuses connections."""
    return f"127.0.0.1:{free_port()}"

"""Clients that go on asking and check what they get, while a test does something to the router."""

import socket
import threading
from typing import Any, List

from .processes import DEADLINE


class Load:
    """`count` clients, each with keys of its own, one connection each; use it in a `with`.

    `answers` is how many came so far. At the end of the `with`, `faults` has whatever was not as it must be.
    """

    def __init__(self, port: int, count: int = 4) -> None:
        self.port = port
        self.faults: List[str] = []
        self._answers = [0] * count
        self._ending = False
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(count)]

    @property
    def answers(self) -> int:
        """Those that came so far."""
        return sum(self._answers)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        try:
            with socket.create_connection(("127.0.0.1", self.port), DEADLINE) as sock, sock.makefile("rb") as answers:
                turn = 0
                while not self._ending:
                    turn += 1
                    self._ask(sock, answers, b"c%d-%d" % (number, turn % 20), b"%d" % turn)
                    self._answers[number] += 3
        except (AssertionError, OSError, ValueError) as error:
            self.faults.append(f"client {number}: {error!r}")

    def _ask(self, sock: Any, answers: Any, key: bytes, value: bytes) -> None:
        sock.sendall(b"set %b 0 0 %d\r\n%b\r\n" % (key, len(value), value))
        answer = answers.readline()
        assert answer == b"STORED\r\n", answer
        sock.sendall(b"get %b\r\nget none\r\n" % key)
        for line in (b"VALUE %b 0 %d\r\n" % (key, len(value)), value + b"\r\n", b"END\r\n", b"END\r\n"):
            answer = answers.readline()
            assert answer == line, (answer, line)

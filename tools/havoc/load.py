"""All clients in one loop."""

import selectors
import time
from typing import Callable, List, Sequence

from .client import Client
from .habits import Habits
from .keys import Findings, Key
from .operations import Barrier

_IN, _BOTH = selectors.EVENT_READ, selectors.EVENT_READ | selectors.EVENT_WRITE
_LOOK = 0.05  # seconds between looks for who is late
_SETTLE = 20.0  # seconds that the answers to everything may take


class Load:
    """The clients of a router; all is drawn from `name`. None is connected any more at the end of a `with`."""

    def __init__(self, habits: Sequence[Habits], port: int, patience: float, name: str, findings: Findings) -> None:
        self._selector = selectors.DefaultSelector()
        self.clients: List[Client] = []
        for number, kind in enumerate(habits):
            client = Client(number, kind, port, patience, name, findings)
            self._selector.register(client.sock, _IN, client)
            self.clients.append(client)
        for client in self.clients:
            client.others = self.clients

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.close()
        self._selector.close()

    @property
    def keys(self) -> List[Key]:
        """The keys of all clients as they are now."""
        return [key for client in self.clients for key in client.keys]

    def run(self, seconds: float) -> None:
        """Keeps all clients busy for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._start_due(time.monotonic())
            self._turn(until)

    def settle(self) -> bool:
        """Waits until every request is answered and done by every host; False if that does not come to pass."""
        until = time.monotonic() + _SETTLE
        self._wait(until, lambda: all(client.idle for client in self.clients))
        for client in self.clients:
            if client.half:
                self._replace(client, client.leave)
        barriers = [Barrier() for _ in self.clients]
        while time.monotonic() < until:
            for client, barrier in zip(self.clients, barriers):
                if not barrier.passed:
                    client.send([barrier], time.monotonic())
            self._wait(until, lambda: all(client.idle for client in self.clients))
            if all(barrier.passed for barrier in barriers):
                return True
        return False

    def _wait(self, until: float, done: Callable[[], bool]) -> None:
        while not done() and time.monotonic() < until:
            self._turn(until)

    def _start_due(self, now: float) -> None:
        for client in self.clients:
            if client.idle and client.due <= now:
                if not client.begin(now):
                    self._replace(client, client.leave)
                self._watch(client)

    def _turn(self, until: float) -> None:
        now = time.monotonic()
        dues = [client.due for client in self.clients if client.idle]
        soon = min([until, now + _LOOK, *(due for due in dues if due > now)])
        for key, mask in self._selector.select(max(0.0, soon - now)):
            client: Client = key.data
            if mask & selectors.EVENT_WRITE:
                client.writable()
                self._watch(client)
            if mask & selectors.EVENT_READ and not client.readable(time.monotonic()):
                self._reconnect(client)
        now = time.monotonic()
        for client in self.clients:
            if not client.idle and client.deadline < now:
                client.late()
                self._reconnect(client)

    def _reconnect(self, client: Client) -> None:
        client.close()
        self._replace(client, client.connect)

    def _replace(self, client: Client, connect: Callable[[], None]) -> None:
        self._selector.unregister(client.sock)
        connect()
        self._selector.register(client.sock, _IN, client)

    def _watch(self, client: Client) -> None:
        self._selector.modify(client.sock, _BOTH if client.unsent else _IN, client)

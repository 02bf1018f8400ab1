"""What goes wrong: connections break or end, hosts freeze, die, forget, refuse, and answer later than is waited for."""

from typing import List

from .hosts import Host, HostConnection
from .kernel import Kernel

_SPAN = 2.0  # seconds at most; then all is well again
_PAUSE = 0.1  # seconds between two faults, at most


class Faults:
    """The faults of a run. `timeout` is how many seconds the router waits for a reply."""

    def __init__(self, kernel: Kernel, timeout: float) -> None:
        self._kernel, self._timeout = kernel, timeout
        self._chance = kernel.chance
        self._hosts: List[Host] = list(kernel.hosts.values())
        self._until = kernel.now + self._chance.random() * _SPAN
        self._next = kernel.now + self._chance.random() * _PAUSE / 2
        self._over = False

    def go_on(self) -> None:
        """Lets something go wrong when its time has come, and in the end mends everything."""
        now = self._kernel.now
        if self._over or now <= self._next:
            return
        if now >= self._until:
            self.end()
            return
        self._next = now + self._chance.random() * _PAUSE
        fault = self._chance.choices(
            (self._reset, self._freeze, self._mend, self._die, self._end, self._stall), (30, 15, 20, 10, 10, 15)
        )[0]
        host = self._chance.choice(self._hosts)
        self._kernel.trace("fault", fault.__name__.strip("_"), host.name)
        fault(host)

    def end(self) -> None:
        """Mends everything."""
        self._over = True
        for host in self._hosts:
            self._mend(host)

    def _connection(self, host: Host) -> "List[HostConnection]":
        return [self._chance.choice(host.connections)] if host.connections else []

    def _reset(self, host: Host) -> None:
        for connection in self._connection(host):
            host.break_off(connection)

    def _freeze(self, host: Host) -> None:
        host.runs = False

    def _mend(self, host: Host) -> None:
        host.runs, host.refuses = True, False

    def _die(self, host: Host) -> None:
        """Its process ends, and with it what it remembers; now and then only the way to it is gone."""
        host.refuses = True
        for connection in list(host.connections):
            host.break_off(connection)
        if self._chance.random() < 0.7:
            host.restart_empty()

    def _end(self, host: Host) -> None:
        """It closes a connection, and answers nothing more on it."""
        for connection in self._connection(host):
            host.connections.remove(connection)
            connection.outgoing.fin = connection.dead = True

    def _stall(self, host: Host) -> None:
        """One connection comes to a stop, until about when the router stops to wait, or a good while later."""
        for connection in self._connection(host):
            connection.stalled = True
            seconds = self._timeout * self._chance.choice([0.5, 1.0, 1.001, 1.3, 3.0])
            self._kernel.at(self._kernel.now + seconds, connection.go_on)

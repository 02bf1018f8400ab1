"""One run: a router, hosts and clients from one seed, until every client has gone; then what must be true."""

import functools
import logging
import traceback
import types
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from mcrouter import Settings, load_config
from mcrouter.config import Config
from mcrouter.counters.cells import local_cells
from mcrouter.counters.layout import Layout
from mcrouter.engine import loop
from mcrouter.engine.hosts import health
from mcrouter.engine.hosts.connections import socket as connection
from mcrouter.proto.commands import COMMANDS
from mcrouter.server import worker as shard_module
from mcrouter.testing import stats

from . import knobs
from .clients import Client
from .endings import descriptors_left, hosts_differ, not_at_rest
from .faults import Faults
from .hosts import Host, unix_time
from .kernel import Kernel
from .policies import POLICIES, Alike
from .sockets import FAKE_MODULE, FakeListener, FakePoller
from .system_calls import World

_PORT = 11211
_SMALLEST_SETTING = 4096  # bytes; the least that --buffer-size takes, below it is set from within
_TICKS = 400_000  # after which a run hangs
_SECONDS = 200.0  # of virtual time, the same
_CLOCK = types.SimpleNamespace(time=lambda: unix_time(World.kernel), monotonic=lambda: World.kernel.now)


class Result(NamedTuple):
    """What came of a run: `problem` when something is wrong, and figures that are the same for the same seed."""

    problem: Optional[str]
    facts: Dict[str, Any]
    ticks: int
    steps: int
    digest: int


class _Complaints(logging.Handler):
    """Collects what the router logs of its own mistakes."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.found: List[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Traces a line, and keeps it when it tells of an exception."""
        World.kernel.trace("log", record.getMessage())
        if record.exc_info or "unexpected" in str(record.msg):
            raised = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
            self.found.append(f"{record.getMessage()} {raised[-900:]}")


_complaints = _Complaints()


def replace_world(verbose: bool) -> None:
    """Puts the simulated clock, sockets, poller and log in the place of the real ones, for the whole process."""
    connection.socket = FAKE_MODULE  # type: ignore[attr-defined]
    for module in (shard_module, health):
        assert module.unix_time, f"{module.__name__} does not ask for Unix time any more"
        module.unix_time = _CLOCK.time
    shard_module.time = _CLOCK  # type: ignore[attr-defined]
    assert len(loop.PollGroup.__init__.__defaults__ or ()) == 2, "PollGroup takes something else than poller and clock"
    loop.PollGroup.__init__.__defaults__ = (None, lambda: World.kernel.now)  # type: ignore[misc]
    loop.make_poller = lambda: FakePoller(World.kernel)
    shard_module.host_id = lambda: 1
    stats.os = types.SimpleNamespace(getpid=lambda: 1)  # type: ignore[attr-defined]
    root = logging.getLogger()
    root.handlers[:] = [_complaints]
    root.setLevel(logging.DEBUG if verbose else logging.ERROR)


@functools.lru_cache(maxsize=None)
def _config(policy: str) -> Config:
    return load_config(POLICIES[policy].text(_addresses(policy)))


def _addresses(policy: str) -> List[str]:
    return [f"10.0.0.{number}:{_PORT}" for number in range(1, POLICIES[policy].hosts + 1)]


class Run:
    """A run of one seed. `policy` is a name of POLICIES, or empty: any."""

    def __init__(self, seed: int, faults: bool, policy: str = "", trace: Optional[Callable[[str], None]] = None) -> None:
        self._seed, self._has_faults = seed, faults
        self._kernel = World.kernel = kernel = Kernel(seed, trace)
        self._chance = kernel.chance
        self._name: str = policy or self._chance.choice(list(POLICIES))
        self._policy = POLICIES[self._name]
        self._alike = self._policy.alike
        if faults and self._alike is not Alike.NO and self._chance.random() < 0.5:
            self._alike, self._policy = Alike.COMMON, self._policy.comparable()
        elif faults:
            self._alike = Alike.NO
        del _complaints.found[:]
        self._buffer = self._chance.choice([150, 400, 1000, 4096, 1 << 20])
        self._memory = self._chance.choice([0, 0, 300, 2000, 20000])
        knobs.restore()
        if self._chance.random() < 0.8:
            knobs.turn(self._chance)
        kernel.capacities = self._chance.choice(
            [(8, 60), (60, 600), (60, 600), (300, 5000), (300, 5000), (20000, 200000)]
        )  # fmt: skip
        for address in _addresses(self._name):
            kernel.hosts[address.split(":")[0], _PORT] = Host(kernel, address)
        self._worker = self._router()
        listener = FakeListener(kernel)
        self._worker.frontend.most_descriptors = 1 << 62  # those of the simulated kernel have large numbers
        self._worker.frontend.listen(listener)  # type: ignore[arg-type]
        sizes = self._sizes()
        count = self._chance.choice([1, 2, 4, 8])
        is_bounded = self._memory != 0
        self._clients = [
            Client(kernel, listener, number, sizes, self._policy, faults, is_bounded) for number in range(count)
        ]
        kernel.limit = kernel.now + _SECONDS
        self._faults = Faults(kernel, self._settings.timeout_ms / 1000) if faults else None
        self._ticks = 0

    def _router(self) -> Any:
        config = _config(self._name)
        self._settings = settings = Settings(
            listen="tcp://127.0.0.1:0",
            metrics_listen_addr="off",
            upstream_connections=self._chance.choice([1, 2, 3]),
            timeout_ms=300 if self._has_faults else 100_000,
            healthcheck_interval=1.0 if self._has_faults else 50.0,
            max_memory=self._memory,
            buffer_size=max(_SMALLEST_SETTING, self._buffer),
            timeouts_until_tko=3,
        )
        layout = Layout([command.name for command in COMMANDS], [host.text for host in config.hosts], 0)
        worker = shard_module.Worker(config, settings, layout, [local_cells(layout)])
        worker.loop.chance.seed(self._seed)
        if self._buffer < _SMALLEST_SETTING:
            worker.frontend.buffer_size = self._buffer
            for host in worker._policy.hosts.values():
                host.buffer_size = self._buffer
        return worker

    def _sizes(self) -> List[int]:
        """Bytes of values: small ones, some about the buffer's size, some larger; not too many pipes full."""
        about = self._buffer if self._buffer < 5000 else 300
        wanted = [20, 20, 60, about, 2 * about if self._buffer < 5000 else 3000, self._chance.choice([100, 1000, 6000])]
        most = max(60, 40 * self._kernel.capacities[1])
        return [min(size, most) for size in wanted]

    def run(self) -> Result:
        """Lets the clients ask until all have gone, and looks at what is left."""
        try:
            problem = self._serve() or self._judge()
        except Exception:
            problem = f"EXCEPTION: {traceback.format_exc()[-1500:]}"
        kernel = self._kernel
        facts = {
            "policy": self._name, "buffer": self._buffer, "memory": self._memory, "pipes": kernel.capacities, "clients": len(self._clients),
            "lanes": self._settings.upstream_connections, "ticks": self._ticks, "steps": kernel.steps,
            "seconds": round(kernel.now - 1000, 3),
        }  # fmt: skip
        return Result(problem, facts, self._ticks, kernel.steps, kernel.digest)

    def _serve(self) -> Optional[str]:
        while not all(client.dead for client in self._clients):
            self._worker.loop.tick()
            self._ticks += 1
            if self._faults is not None:
                self._faults.go_on()
            if self._kernel.idle_checks or self._ticks > _TICKS:
                why = "nothing happens any more" if self._kernel.idle_checks else "too many ticks"
                waiting = "; ".join(client.describe() for client in self._clients if not client.dead)
                return f"HANG: {why}: {waiting}"
        return None

    def _judge(self) -> Optional[str]:
        if self._faults is not None:
            self._faults.end()
        wrong = [client.wrong for client in self._clients if client.wrong]
        problem = wrong[0] if wrong else not_at_rest(self._worker)
        if not problem and self._alike is not Alike.NO:
            problem = hosts_differ(self._worker, self._kernel, self._alike)
        problem = problem or descriptors_left(self._worker, self._kernel)
        return problem or (f"LOGGED: {_complaints.found[0]}" if _complaints.found else None)

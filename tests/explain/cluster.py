"""A World (tests/routes) whose hosts fare as a test says, to hold dry runs against."""

import json
import random
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from mcrouter.config import Config
from mcrouter.explain.answers import TIMES_OUT, UNHEALTHY, WELL, answer
from mcrouter.server.configs.reading import load_config
from mcrouter.system.host_id import host_id
from tests.routes.script import Host
from tests.routes.world import Timer, World

TIMEOUT_MS = 1000


class Cluster(World):
    """`asked_of` lists (phase, host, line): phase 1 is what is asked before any answer has come. With `journals` hosts
    that are away are told what they miss."""

    def __init__(self, config: Any, host_condition: Mapping[str, str], journals: bool = False, **kit: Any) -> None:
        self.phase = 1
        self.asked_of: List[Tuple[int, str, bytes]] = []
        config = config if isinstance(config, Config) else load_config(json.dumps(config))
        names = [host.text for host in config.hosts]
        hosts: Dict[str, Host] = {name: _Scripted(name, self, host_condition.get(name, WELL), journals) for name in names}
        super().__init__(config, hosts, chance=random.Random(0), host_id=host_id(), **kit)

    def _later(self, seconds: float, call: Callable[[], None]) -> Timer:
        phase = self.phase + 1

        def then() -> None:
            self.phase = phase
            call()

        return super()._later(seconds, then)

    def becomes_of(self, data: bytes) -> Any:
        """The answer to a request when nothing is left to be done for it, and who was asked."""
        sink = self.ask(data)
        self.pass_time(3600)
        return sink.got, self.asked_of


class _Scripted(Host):
    def __init__(self, name: str, cluster: Cluster, host_condition: str, journals: bool) -> None:
        super().__init__(name)
        self._cluster, self._condition = cluster, host_condition
        self.healthy = host_condition != UNHEALTHY
        self.refuses_connections = True
        self.journal = self if journals else None

    def send(self, request: Any, sink: Any, since: Optional[float] = None) -> None:
        assert self.healthy, "nobody asks an unhealthy host"
        self._cluster.asked_of.append((self._cluster.phase, self.name, bytes(request.data).partition(b"\r\n")[0]))
        reply = answer(request, self.name, self._condition, TIMEOUT_MS)
        delay = TIMEOUT_MS / 1000 if self._condition == TIMES_OUT else 0.0
        self._cluster._later(delay, lambda: sink.on_reply(*reply))

"""A policy from a config's text, over scripted hosts, with a clock that only the test moves."""

import json
import random
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

from mcrouter.config import Config
from mcrouter.proto.commands import BY_VERB
from mcrouter.routes.build import build
from mcrouter.routes.framework.context import RouteContext
from mcrouter.routes.local import LocalRoute
from mcrouter.server.configs.reading import load_config

from .script import Host, Sink, request


class Timer:
    """A call that is due at some time."""

    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due, self.call, self.off = due, call, False

    def cancel(self) -> None:
        """It is not wanted any more."""
        self.off = True


class World:
    """A policy and its hosts. `config` is a config, or one as plain Python values: with `pools`, facebook/mcrouter's form;
    with an `orderedPool`, the seed's. `hosts` are by the names that the config gives them; those not given are made.

        world = World({"pools": {"A": {"servers": ["a:1", "b:1"]}}, "route": "AllSyncRoute|Pool|A"})
        world.hosts["a:1"].values[b"k"] = b"1"
        world.answer(b"get k\\r\\n")
    """

    def __init__(self, config: Any, hosts: Optional[Dict[str, Host]] = None, **context: Any) -> None:
        self.config = config if isinstance(config, Config) else load_config(json.dumps(config))
        self.hosts = hosts or {}
        for host in self.config.hosts:
            self.hosts.setdefault(host.text, Host(host.text))
        self.now = 1000.0
        self.wall = 1_700_000_000.0
        self.timers: List[Timer] = []
        self.counted: List[str] = []
        given = {"chance": random.Random(1), **context}
        local = LocalRoute("1", lambda words: [])
        self.context = RouteContext(self.hosts, local, lambda: self.now, self._later, lambda: self.wall, count=self.counted.append,
                       ordered_pool_form=self.config.ordered_pool_form, **given)  # fmt: skip
        self.built = build(self.config, self.context)

    def _later(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Timer(self.now + seconds, call)
        self.timers.append(timer)
        return timer

    def pass_time(self, seconds: float) -> None:
        """Moves both clocks and calls what is due, in order."""
        until = self.now + seconds
        while True:
            due = sorted((timer for timer in self.timers if not timer.off and timer.due <= until), key=lambda t: t.due)
            if not due:
                break
            self.timers.remove(due[0])
            self.wall += max(0.0, due[0].due - self.now)
            self.now = max(self.now, due[0].due)
            due[0].call()
        self.wall += until - self.now
        self.now = until

    def route(self, verb: bytes) -> Any:
        """The route of a command."""
        return self.built.routes_by_command[BY_VERB[verb].number]

    def handles(self, verb: bytes) -> Set[str]:
        """The types of all routes that a command may come to."""
        found, ahead = set(), [self.route(verb)]
        while ahead:
            route = ahead.pop()
            found.add(type(route).__name__)
            ahead += route.routes()
        return found

    def ask(self, data: bytes) -> Sink:
        """Starts the request (or run) that `data` is; the sink may have its reply already."""
        sink = Sink()
        self.route(data.split()[0]).start(request(data), sink)
        return sink

    def answer(self, data: bytes) -> Optional[Tuple[bytes, bytes]]:
        """What a request gets at once."""
        return self.ask(data).got

    def set_health(self, name: str, healthy: bool) -> None:
        """A host went or came back."""
        self.hosts[name].healthy = healthy
        for pool in self.built.pools:
            pool.refresh()

    def asked(self) -> Dict[str, List[bytes]]:
        """What each host has been asked since the last time that this was; hosts that were asked nothing are left out."""
        asked = {name: host.asked for name, host in self.hosts.items() if host.asked}
        for host in self.hosts.values():
            host.asked = []
        return asked

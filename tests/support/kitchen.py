"""A recipe of the README's Policy cookbook, cooked: the routes that serve, over hosts that fare as said, and what they do
in the words of its tables."""

from typing import Any, Dict, List, Tuple

from mcrouter.cli.main import make_parser, parsed_settings
from mcrouter.config import Config
from mcrouter.engine.hosts.journal import IGNORE
from mcrouter.explain.answers import FAILS, MISSES, TIMES_OUT, UNHEALTHY
from mcrouter.explain.asking import requests
from mcrouter.server.configs.reading import load_config
from mcrouter.server.hosts import rejoin_mode
from mcrouter.settings import Settings
from tests.explain.cluster import Cluster
from tests.routes.script import Sink, request

from .recipes import Recipe

WAYS = {"misses": MISSES, "hangs": TIMES_OUT, "is dead": UNHEALTHY, "answers an error": FAILS}


class Log:
    """An async log in memory: takes deletes unless it is `full`."""

    def __init__(self, full: bool = False) -> None:
        self.full = full
        self.hosts: List[str] = []

    def add(self, host: str, _port: int, _key: bytes, _pool: str) -> bool:
        """Takes one, or not."""
        if not self.full:
            self.hosts.append(host)
        return not self.full


class _TimedSink(Sink):
    """Notes how long the answer took."""

    def __init__(self, kitchen: "Kitchen") -> None:
        super().__init__()
        self._kitchen, self._begun = kitchen, kitchen.now
        self.seconds = 0.0

    def on_reply(self, reply: bytes, outcomes: bytes) -> None:
        """The answer."""
        super().on_reply(reply, outcomes)
        self.seconds = self._kitchen.now - self._begun


class Kitchen(Cluster):
    """A recipe's policy, over hosts that fare as said."""

    def __init__(self, recipe: Recipe, host_condition: Dict[str, str], minutes: float = 0.0, spool: Any = None) -> None:
        self.settings, config = loaded(recipe)
        self.spool = (spool or Log()) if self.settings.async_dir else None
        super().__init__(config, host_condition, rejoin_mode(config) != IGNORE, spool=self.spool)
        self.wall = start_time(config) + 60 * minutes

    def does(self, command: str) -> str:
        """What becomes of a command, in the words of the tables."""
        own, sink = self._start(command)
        assert sink.got is not None
        late = f", after {sink.seconds:g} s" if sink.seconds else ""
        missed = [name for name, host in self.hosts.items() if host.has_missed]
        noted = f"; noted for {', '.join(missed)}" if missed else ""
        logged = "".join(f"; logged for {host}" for host in getattr(self.spool, "hosts", ()))
        return f"{self._asked(own)} → {answered(sink.got[0])}{late}{noted}{logged}"

    def lines(self, command: str) -> List[Tuple[str, str]]:
        """Who is asked what."""
        self._start(command)
        return [(host, line.decode()) for _phase, host, line in self.asked_of]

    def _start(self, command: str) -> Tuple[bytes, _TimedSink]:
        """The command's line, and what became of it."""
        (data,) = requests(command.split())
        sink, self.asked_of, self.phase = _TimedSink(self), [], 1
        self.route(data.split()[0]).start(request(data), sink)
        self.pass_time(3600)
        return data.partition(b"\r\n")[0], sink

    def _asked(self, own: bytes) -> str:
        phases: Dict[int, List[str]] = {}
        order = list(self.hosts)
        for phase, host, line in sorted(self.asked_of, key=lambda one: (one[0], order.index(one[1]))):
            phases.setdefault(phase, []).append(host + ("" if line == own else f" ({shown(line)})"))
        return ", then ".join(", ".join(phase) for phase in phases.values()) or "no host"


def shown(line: bytes) -> str:
    """A request in the words of the tables."""
    verb, key, *rest = line.decode().split(" ")
    return f"`{verb} {key}` for {rest[1]} s" if rest else f"`{verb} {key}`"


def loaded(recipe: Recipe) -> Tuple[Settings, Config]:
    """What its flags and its config say."""
    settings = parsed_settings(make_parser().parse_args(list(recipe.flags)))
    return settings, load_config(recipe.config, "README", settings)


def start_time(config: Config) -> float:
    """That of a migration, else any."""
    return next((float(spec.args["start_time"]) for spec in config.routes if "start_time" in spec.args), 0.0)


def answered(reply: bytes) -> str:
    """An answer in the words of the tables. A value is the name of the host that has it."""
    if reply.startswith(b"VALUE "):
        return f"{reply.splitlines()[1].decode()}'s value"
    return "error" if reply.startswith(b"SERVER_ERROR ") else f"`{reply.decode().strip()}`"

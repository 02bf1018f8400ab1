"""memcached, the router and its rivals: what starts them, and with which config."""

import json
import os
import re
import shlex
import shutil
import socket
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence

from .cases import Item
from .stage import BenchError, Process, Stage, answers, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
ROUTER = "router"
TWEMPROXY, DIRECT = "twemproxy", "direct"
PLACEHOLDERS = {
    "port": "where it must listen, on 127.0.0.1",
    "host_port": "the memcached's port",
    "host_port2": "the second memcached's port",
    "config": "the router's config file in this run, as --policy has it",
    "default_config": "a config: DefaultRoute over the one memcached",
    "sample_config": "a config: the sample policy over two memcacheds",
    "metrics_port": "another free port",
    "python": "the interpreter of --python",
    "here": "the folder that this was started from; the rival runs in another",
}
"""What is filled in in a rival's command."""

_PLAIN = ("-m", "mcrouter")
_HASHED = 10  # hosts behind a HashRoute
_NUTCRACKER = """\
pool:
  listen: 127.0.0.1:{port}
  hash: fnv1a_64
  distribution: ketama
  preconnect: true
  timeout: 2000
  server_connections: 2
  servers:
   - 127.0.0.1:{host_port}:1
"""


class Rival(NamedTuple):
    """Somebody to compare with; no words: one of the built-in ones."""

    name: str
    env: Dict[str, str]
    words: List[str]

    def needs(self, placeholder: str) -> bool:
        """Whether its command names it."""
        return any("{%s}" % placeholder in word for word in [*self.words, *self.env.values()])


class Proxy(NamedTuple):
    """Something that serves on a port. `process` is what its CPU and memory are counted of."""

    name: str
    port: int
    process: Process
    metrics: int = 0


def parse_rival(text: str) -> Rival:
    """A rival from its flag; ValueError says what is wrong with it."""
    if text in (TWEMPROXY, DIRECT):
        return Rival(text, {}, [])
    name, equals, command = text.partition("=")
    words = shlex.split(command)
    env: Dict[str, str] = {}
    while words and re.match(r"[A-Za-z_]\w*=", words[0]):
        variable, _, env[variable] = words.pop(0).partition("=")
    if not equals or not words or not re.fullmatch(r"[\w.-]{1,20}", name):
        raise ValueError(f"{text!r} is neither {TWEMPROXY}, {DIRECT} nor NAME=COMMAND")
    if name in (ROUTER, TWEMPROXY, DIRECT):
        raise ValueError(f"{name!r} has a meaning of its own; choose another name")
    for word in [*words, *env.values()]:
        for found in re.findall(r"\{(\w+)\}", word):
            if found not in PLACEHOLDERS:
                raise ValueError(f"{{{found}}} is not known; there are {', '.join(PLACEHOLDERS)}")
    rival = Rival(name, env, words)
    if not rival.needs("port"):
        raise ValueError(f"{name!r} must be told where to listen: {{port}}")
    return rival


class Rig:
    """What all proxies of a run stand before: memcacheds, the config files over them."""

    def __init__(self, stage: Stage, python: str, policy: str, shards: int, rivals: Sequence[Rival],
                 connections: int) -> None:  # fmt: skip
        self.stage, self.python, self.shards, self.rivals = stage, python, shards, list(rivals)
        two = policy == "sample" or any(r.needs("sample_config") or r.needs("host_port2") for r in rivals)
        count = _HASHED if policy == "hash" else 2 if two else 1
        self.hosts = [self._memcached(f"memcached{number}", connections) for number in range(1, count + 1)]
        ports = [host.port for host in self.hosts]
        self.default_config = self._config("default", ports[:1], {"type": "DefaultRoute"})
        # router.json is held to the sample policy by the tests; nothing of what is measured is imported here
        sample = json.loads((ROOT / "router.json").read_text())["route"]
        self.sample_config = self._config("sample", ports[:2], sample)
        hashed = self._config("hash", ports, {"type": "HashRoute"})
        self.config = {"default": self.default_config, "sample": self.sample_config, "hash": hashed}[policy]

    def _memcached(self, name: str, connections: int) -> Proxy:
        program = _program("memcached", "memcached")
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        port = free_port()
        words = [program, "-t", "1", "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-m", "512", "-c", str(connections)]
        process = self.stage.start(name, [*words, *user])
        self.stage.wait(name, process, lambda: answers(port))
        return Proxy(name, port, process)

    def _config(self, name: str, ports: Iterable[int], route: object) -> Path:
        path = self.stage.folder / f"{name}.json"
        path.write_text(json.dumps({"orderedPool": [f"127.0.0.1:{port}" for port in ports], "route": route}))
        return path

    def fill(self, space: Iterable[Item]) -> None:
        """Stores a key space in every memcached, past all proxies."""
        data = b"".join(item.set(b" noreply") for item in space)
        for host in self.hosts:
            with socket.create_connection(("127.0.0.1", host.port), 10.0) as sock:
                sock.sendall(data + b"version\r\n")
                if not sock.recv(100).startswith(b"VERSION"):
                    raise BenchError(f"{host.name} did not take the values")

    def router(self, wait: bool = True, module: Sequence[str] = _PLAIN) -> Proxy:
        """Starts the router; `module` are the words that make the interpreter run it."""
        port, metrics = free_port(), free_port()
        words = [self.python, *module, "-f", str(self.config), "-l", f"tcp://127.0.0.1:{port}"]
        words += ["-L", f"127.0.0.1:{metrics}", "-n", str(self.shards)]
        proxy = self._proxy(ROUTER, port, self.stage.start(ROUTER, words, {"PYTHONPATH": str(ROOT)}), wait)
        return proxy._replace(metrics=metrics)

    def rival(self, rival: Rival, wait: bool = True) -> Proxy:
        """Starts a rival."""
        if rival.name == DIRECT:
            return Proxy(DIRECT, self.hosts[0].port, self.hosts[0].process)
        port = free_port()
        if rival.name == TWEMPROXY:
            words, env = self._nutcracker(port), None
        else:
            facts = self._facts(port)
            words, env = [_filled(w, facts) for w in rival.words], {k: _filled(v, facts) for k, v in rival.env.items()}
        return self._proxy(rival.name, port, self.stage.start(rival.name, words, env), wait)

    def everybody(self) -> List[Proxy]:
        """Starts the router and all rivals."""
        return [self.router(), *(self.rival(rival) for rival in self.rivals)]

    def dismiss(self, proxies: Iterable[Proxy]) -> None:
        """Ends proxies, but not the memcacheds."""
        for proxy in proxies:
            if proxy.name != DIRECT:
                self.stage.stop(proxy.process)

    def _proxy(self, name: str, port: int, process: Process, wait: bool) -> Proxy:
        if wait:
            self.stage.wait(name, process, lambda: answers(port))
        return Proxy(name, port, process)

    def _nutcracker(self, port: int) -> List[str]:
        program = _program("nutcracker", "nutcracker")
        path = self.stage.folder / "nutcracker.yml"
        path.write_text(_NUTCRACKER.format(port=port, host_port=self.hosts[0].port))
        return [program, "-c", str(path), "-a", "127.0.0.1", "-s", str(free_port())]

    def _facts(self, port: int) -> Dict[str, str]:
        first, second = self.hosts[0], self.hosts[min(1, len(self.hosts) - 1)]
        facts = (port, first.port, second.port, self.config, self.default_config,
                 self.sample_config, free_port(), self.python, Path.cwd())  # fmt: skip
        return dict(zip(PLACEHOLDERS, map(str, facts)))


def _filled(word: str, facts: Dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: facts[match[1]], word)


def _program(name: str, package: str) -> str:
    path: Optional[str] = shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin")
    if path is None:
        raise BenchError(f"{name} is not installed; install the package {package}")
    return path

"""Answers `get __mcrouter__.NAME(ARGS)` with facts about the router, as facebook/mcrouter does (its ServiceInfo).

    version                   config_file           options, options(NAME)
    hostid                    config_age            route(COMMAND,KEY)
    preprocessed_config       config_md5_digest     route_handles(COMMAND,KEY)
                              config_sources_info

The answer is the value of the key; an error is a value too: `ERROR: why`.
"""

import json
import os
from typing import Callable, Dict, Iterable, List, Optional, Tuple

from .. import __version__
from ..config import Config, as_json, digest
from ..explain.answers import MISSES, UNHEALTHY
from ..explain.asking import alone, parsed, requests
from ..explain.dry import CLIENT, DryRun
from ..explain.tree import tree, walk
from ..proto.commands import INQUIRING
from ..routes.framework.context import policy_options
from ..settings import Settings
from ..system.clock import unix_time
from ..system.host_id import host_id

_MOST_HANDLES = 1000  # a config with more routes is not tried out: that would delay the next tick too long
_MOST_TEXT = 1 << 15  # a config with more characters is not parsed again, for the same reason
_PER_KEY, _PER_HANDLE, _PER_CHARACTER = 300, 12, 0.4  # cost in microseconds


class InquiryError(Exception):
    """Raised if an inquiry cannot be answered; the message says why."""


def answer(key: bytes, config: Config, since: float, settings: Settings, unhealthy: Iterable[str] = ()) -> bytes:
    """Returns the value of a key that begins with `__mcrouter__.`, for a router with this config, which is in effect
    since `since` (Unix time), and with these unhealthy hosts."""
    return Inquiries(config, since, settings, lambda: unhealthy).answer(key)


class Inquiries:
    """Answers for one event loop and one config; `unhealthy()` returns the names of the unhealthy hosts."""

    def __init__(
        self, config: Config, since: float, settings: Settings, unhealthy: Callable[[], Iterable[str]]
    ) -> None:
        self._text: Optional[bytes] = None  # the answer to preprocessed_config, once it has been asked for
        self._serving = config
        self._since = since
        self._settings = settings
        self._unhealthy = unhealthy
        self._answers: Dict[str, Callable[..., str]] = {
            "version": lambda: f"mcrouter {__version__}",
            "hostid": lambda: str(host_id()),
            "config_age": lambda: str(int(unix_time() - self._since)),
            "config_file": self._config_file,
            "config_md5_digest": self._digest,
            "config_sources_info": self._sources,
            "preprocessed_config": self._preprocessed,
            "options": self._options,
            "route": self._route,
            "route_handles": self._route_handles,
        }

    def answer(self, key: bytes) -> bytes:
        """Returns the value of a key that begins with `__mcrouter__.`."""
        name, args = _call(key[len(INQUIRING) :].decode(errors="replace"))
        if (name, args) == _CONFIG:
            if self._text is None:
                self._text = _value(self._preprocessed())
            return self._text
        try:
            return _value(self._said(name, args))
        except InquiryError as error:
            return f"ERROR: {error}".encode(errors="replace")
        except RecursionError:
            return b"ERROR: the policy goes on from handle to handle too often"

    def cost(self, key: bytes) -> int:
        """Returns about how many microseconds the answer takes."""
        name, args = _call(key[len(INQUIRING) :].decode(errors="replace"))
        if name in ("route", "route_handles"):
            return _PER_KEY + _PER_HANDLE * min(len(self._serving.routes), _MOST_HANDLES)
        if (name, args) == _CONFIG and self._text is None:
            return _PER_KEY + int(_PER_CHARACTER * min(len(self._serving.text), _MOST_TEXT))
        return _PER_KEY

    def _said(self, name: str, args: List[str]) -> str:
        if name not in self._answers:
            raise InquiryError(f"unknown command: {name}")
        counts = _ARGUMENTS.get(name, (0,))
        if len(args) not in counts:
            raise InquiryError(f"{name}: {' or '.join(map(str, counts))} args expected")
        return self._answers[name](*args)

    def _config_file(self) -> str:
        source = self._serving.source
        if not os.path.isfile(source):
            raise InquiryError("no config file found!")
        return source

    def _digest(self) -> str:
        found = digest(self._serving)
        if not found:
            raise InquiryError("no config md5 digest found!")
        return found

    def _sources(self) -> str:
        sources = {"mcrouter_config": self._digest()}
        if os.path.isfile(self._serving.source):
            sources["config_file"] = self._serving.source
        return json.dumps(sources, indent=2, sort_keys=True)

    def _preprocessed(self) -> str:
        """Returns the config as JSON; unchanged if it is so long that clients would have to wait."""
        text = self._serving.text
        return text if len(text) > _MOST_TEXT else as_json(text)

    def _options(self, name: str = "") -> str:
        texts = self._settings.texts()
        if not name:
            return "".join(f"{name} {text}\n" for name, text in texts.items())
        if name not in texts:
            raise InquiryError(f"options: option {name} not found")
        return texts[name]

    def _route(self, name: str, key: str) -> str:
        """Returns the hosts that would be asked now, if all of them missed."""
        run, data = self._tried(name, key)
        return "\r\n".join(one.host for one in run.ask(data).asked)

    def _route_handles(self, name: str, key: str) -> str:
        """Returns the routes that the request would pass, each indented by its depth."""
        run, data = self._tried(name, key)
        run.ask(data)
        request = parsed(data, CLIENT)
        shown = tree(run.route_for(request), request, run.passed)
        return "\n".join(" " * depth + node.name for depth, node in walk(shown))

    def _tried(self, name: str, key: str) -> Tuple[DryRun, bytes]:
        config = self._serving
        if len(config.routes) > _MOST_HANDLES:
            raise InquiryError(f"more than {_MOST_HANDLES} handles; use mcrouter explain")
        try:
            requests([name, key])
        except ValueError as error:
            raise InquiryError(str(error)) from None
        host_condition = {host.text: MISSES for host in config.hosts}
        host_condition.update(dict.fromkeys(self._unhealthy(), UNHEALTHY))
        run = DryRun(config, host_condition, **policy_options(self._settings))
        return run, alone(name, key.encode(errors="surrogateescape"))


_CONFIG: Tuple[str, List[str]] = ("preprocessed_config", [])
_ARGUMENTS: Dict[str, Tuple[int, ...]] = {"options": (0, 1), "route": (2,), "route_handles": (2,)}


def _value(text: str) -> bytes:
    return text.rstrip("\n").encode(errors="replace")


def _call(text: str) -> Tuple[str, List[str]]:
    """Returns the name and the arguments of `name`, `name(a)` or `name(a,b)`; a key may contain commas."""
    name, bracket, rest = text.partition("(")
    if not bracket or not rest.endswith(")"):
        return text, []
    inner = rest[:-1]
    return name, inner.split(",", 1) if inner else []

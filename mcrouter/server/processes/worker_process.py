"""The process of one event loop: handles the messages of its supervisor.

    ("config", config)               starts a new config; its text and routes follow in portions,
    ("text", text)                   so that no message takes long to read
    ("routes", routes)
    ("prepare", placement)           makes the policy, and answers "" or what is wrong; then one of
    ("commit",)                      puts it into effect
    ("abort",)                       drops it
    ("hand_over",) and a descriptor  passes all clients to another process, and ends
"""

import contextlib
import socket
from typing import Any, Callable, Dict, Iterator, List, Optional

from ...counters.layout import Layout
from ...system.interpreter import without_collection
from ...system.logs import get_logger
from ..worker import Worker
from .channel import Channel

logger = get_logger(__name__)


_PORTION = 500  # routes in a message
_CHARACTERS = 1 << 18  # characters of the text in a message


def reload_messages(config: Any, placement: Any) -> Iterator[Any]:
    """Yields the messages by which a supervisor sends this config to an event loop."""
    yield "config", config._replace(routes=(), text="")
    for start in range(0, len(config.text), _CHARACTERS):
        yield "text", config.text[start : start + _CHARACTERS]
    for start in range(0, len(config.routes), _PORTION):
        yield "routes", config.routes[start : start + _PORTION]
    yield "prepare", placement


class WorkerProcess:
    """Handles the supervisor's messages for an event loop."""

    def __init__(self, worker: Worker, layout: Layout, channel: Channel) -> None:
        self._worker = worker
        self._layout = layout
        self._channel = channel
        self._before: Any = None
        self._config: Any = None
        self._routes: List[Any] = []
        self._text: List[str] = []
        self._collection = contextlib.ExitStack()
        self._does: Dict[str, Callable[..., None]] = {
            "config": self._begin,
            "text": self._add_text,
            "routes": self._add_routes,
            "prepare": self._prepare,
            "commit": self._commit,
            "abort": self._abort,
        }
        worker.loop.watch_listener(channel.fd, self._on_message)

    def _on_message(self, _mask: int) -> None:
        try:
            message, fd = self._channel.receive()
        except (EOFError, OSError):
            self._worker.loop.unwatch(self._channel.fd)  # the lifeline ends this process
            return
        if fd is not None:
            self._worker.hand_over(socket.socket(fileno=fd))
        else:
            self._does[message[0]](*message[1:])

    def _begin(self, config: Any) -> None:
        self._config, self._routes, self._text = config, [], []
        self._collection.close()
        self._collection.enter_context(without_collection())

    def _add_text(self, text: str) -> None:
        self._text.append(text)

    def _add_routes(self, routes: Any) -> None:
        self._routes += routes

    def _prepare(self, placement: Any) -> None:
        self._before = self._layout.placement
        self._layout.placement = placement
        config = self._config._replace(routes=tuple(self._routes), text="".join(self._text))
        self._config, self._routes, self._text = None, [], []
        self._worker.prepare(config, self._prepared)

    def _prepared(self, error: Optional[Exception]) -> None:
        if error is not None:
            logger.error("unexpected error with the new config; the previous one stays in effect", exc_info=error)
        self._collection.close()
        self._channel.send("" if error is None else str(error) or repr(error))

    def _commit(self) -> None:
        self._worker.commit()

    def _abort(self) -> None:
        self._layout.placement = self._before

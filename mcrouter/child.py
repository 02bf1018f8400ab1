"""A shard in a process of its own, and what it does when its supervisor speaks.

    ("prepare", config, placement)   builds it, and answers "" or what is wrong; then one of
    ("commit",)                      puts it into effect
    ("abort",)                       forgets it
    ("hand_over",) and a descriptor  passes all clients on to another process, and ends
"""

import logging
import socket
from typing import Any, Callable, Dict

from .engine.channel import Channel
from .metrics.counters import Layout
from .shard import Shard

logger = logging.getLogger(__name__)


class Child:
    """Listens to the supervisor for a shard."""

    def __init__(self, shard: Shard, layout: Layout, channel: Channel) -> None:
        self._shard = shard
        self._layout = layout
        self._channel = channel
        self._before: Any = None
        self._does: Dict[str, Callable[..., None]] = {
            "prepare": self._prepare,
            "commit": self._commit,
            "abort": self._abort,
        }
        shard.loop.watch_listener(channel.fd, self._on_message)

    def _on_message(self, _mask: int) -> None:
        try:
            message, fd = self._channel.receive()
        except (EOFError, OSError):
            self._shard.loop.unwatch(self._channel.fd)  # the lifeline says the rest
            return
        if fd is not None:
            self._shard.hand_over(socket.socket(fileno=fd))
        else:
            self._does[message[0]](*message[1:])

    def _prepare(self, config: Any, placement: Any) -> None:
        self._before = self._layout.placement
        self._layout.placement = placement
        try:
            self._shard.prepare(config)
        except Exception as error:
            logger.exception("the config cannot be prepared")
            self._channel.send(str(error) or repr(error))
        else:
            self._channel.send("")

    def _commit(self) -> None:
        self._shard.commit()

    def _abort(self) -> None:
        self._layout.placement = self._before

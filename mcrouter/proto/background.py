"""Requests that no client waits for: copies, warm-ups, repairs.

They must not hold up the client that they were made for. A host that does not take what it is sent gets none of them:
they are dropped, and a dropped write is one that the host misses (engine/hosts/host.py).
"""

from typing import Any, Callable, List

from .request import Request


class Background:
    """The source of such a request, in the place of the client: `owner` is the client, whose writes these are in one
    order with; `connection` the connection that they share."""

    __slots__ = ("_client", "_on_abandon")

    is_background = True
    can_wait = False

    def __init__(self, client: Any) -> None:
        self._client = client
        self._on_abandon: List[Callable[[], None]] = []

    @property
    def owner(self) -> Any:
        """The client for whose sake it is asked."""
        return self._client.owner

    @property
    def connection_number(self) -> Any:
        """Which of a host's connections its requests take: the client's."""
        return self._client.connection_number

    def awaits(self, request: Request) -> bool:
        """No client waits for the answer."""
        return False

    def may_repeat(self, request: Request) -> bool:
        """What has failed is not worth another try."""
        return False

    def may_ask_again(self, request: Request) -> bool:
        """A reply that is too large may pass: it goes nowhere."""
        return True

    def will_ask_again(self, request: Request) -> None:
        """It will not."""

    def pause(self) -> None:
        """A host reads slowly, or its reply passes: that is nothing to the client."""

    def resume(self) -> None:
        """That is over."""

    def when_abandoned(self, request: Request, call: Callable[[], None]) -> None:
        """The same as of any client (engine/clients/source.py)."""
        self._on_abandon.append(call)

    def fail(self, request: Request, reply: bytes, outcomes: bytes) -> None:
        """After an unexpected error: there is no client to be told."""
        for call in self._on_abandon:
            call()

    def abort(self) -> None:
        """After one in that: nor is there a connection."""


def background(request: Request) -> Request:
    """The same request, which the client does not wait for. A large value is fed by its client, which waits."""
    if request.large_value is not None:
        return request
    made = Request(Background(request.client), request.commands, request.data, request.expected, request.key)
    made.started, made.origin = request.started, request.origin or request
    return made

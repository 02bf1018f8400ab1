"""Requests that no client waits for: copies, warm-ups, repairs.

They must not delay the client for whose request they were made. While a host does not take what it is sent, they are
dropped, not queued; a dropped write is recorded as one that the host has missed (engine/hosts/host.py).
"""

from typing import Any, Callable, List

from .request import Request


class Background:
    """The source of a background request, in place of its client. It shares the client's connections to hosts, so that
    the writes of both stay in one order; `owner` is the client."""

    __slots__ = ("_client", "_on_abandon")

    is_background = True
    can_wait = False

    def __init__(self, client: Any) -> None:
        self._client = client
        self._on_abandon: List[Callable[[], None]] = []

    @property
    def owner(self) -> Any:
        """The client for whose request this one was made."""
        return self._client.owner

    @property
    def connection_number(self) -> Any:
        """Returns which of a host's connections the request takes: the client's."""
        return self._client.connection_number

    def awaits(self, request: Request) -> bool:
        """Returns False: no client waits for the reply."""
        return False

    def may_repeat(self, request: Request) -> bool:
        """Returns False: a background request that has failed is not repeated."""
        return False

    def may_ask_again(self, request: Request) -> bool:
        """Returns True: a reply that is too large may be dropped, as any other is."""
        return True

    def may_hold(self, size: int) -> bool:
        """Returns True: no reply is held for it."""
        return True

    def will_ask_again(self, request: Request) -> None:
        """Has no effect: the request is not asked again."""

    def pause(self) -> None:
        """Has no effect: a slow host does not delay the client."""

    def resume(self) -> None:
        """Has no effect."""

    def when_abandoned(self, request: Request, call: Callable[[], None]) -> None:
        """Has `call` called if an unexpected error ends the work for this request (engine/clients/source.py)."""
        self._on_abandon.append(call)

    def fail(self, request: Request, reply: bytes, outcomes: bytes) -> None:
        """Ends the work for the request after an unexpected error; no client is answered."""
        for call in self._on_abandon:
            call()

    def abort(self) -> None:
        """Has no effect: there is no connection to close."""


def background(request: Request) -> Request:
    """Returns a copy of the request as a background request. One with a large value is returned as it is: its client
    sends the value, and waits."""
    if request.large_value is not None:
        return request
    made = Request(Background(request.client), request.commands, request.data, request.expected, request.key)
    made.started, made.origin = request.started, request.origin or request
    return made

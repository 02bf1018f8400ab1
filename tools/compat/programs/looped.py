"""An event loop for an asyncio client, so that the checks can call it."""

import asyncio
from typing import Any, Awaitable

import checks


class LoopedCache(checks.Cache):
    """Has a loop of its own, which runs while something is asked."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    def wait(self, what: Awaitable[Any]) -> Any:
        """The result, or an error after checks.PATIENCE."""
        return self._loop.run_until_complete(asyncio.wait_for(what, checks.PATIENCE))

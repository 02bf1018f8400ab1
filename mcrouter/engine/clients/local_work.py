"""Answers that the router computes by itself, in portions.

    route ──► do(request, steps) ──► steps, while this tick has time for them ──► answer
                                        │ no time is left
                                        ▼
                                     waiting ──(next ticks, in turns)──► answer, and the client goes on

One write of a client may ask for thousands of such answers, and one request for thousands of values. All work of an
event loop waits in one queue, and a tick does a few milliseconds of it. A client whose work waits is paused meanwhile.
"""

import collections
from typing import TYPE_CHECKING, Deque, Iterator, Tuple

from ...proto.guard import guarded_failure
from ..loop import PollGroup

if TYPE_CHECKING:
    from ...proto.request import Request

Steps = Iterator[int]
"""Work in steps. Each step yields its cost in microseconds, estimated from what it did, not measured by a clock."""

MOST = 2500
"""Microseconds that the steps may cost between two turns, which are a tick apart. The last step may cost more; then the
next turns do less."""
BYTES = 50
"""Bytes of an answer that cost about a microsecond: 250 KB a tick."""


class LocalWork:
    """The work of one event loop."""

    def __init__(self, loop: PollGroup) -> None:
        self._loop = loop
        self._waiting: Deque[Tuple[Request, Steps]] = collections.deque()
        self._left = MOST
        self._scheduled = False

    def do(self, request: "Request", steps: Steps) -> None:
        """Does the work for a request, now or in the next ticks. The steps answer the request themselves."""
        self._schedule()
        if self._waiting or not self._is_done(request, steps):
            request.client.pause()
            self._waiting.append((request, steps))

    def _is_done(self, request: "Request", steps: Steps) -> bool:
        """Does as much as there is time for; returns whether all is done."""
        try:
            while self._left > 0:
                self._left -= next(steps)
        except StopIteration:
            return True
        except Exception:
            guarded_failure(request)
            return True
        return False

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Does the waiting work of the next tick, one step of each request in turn."""
        self._scheduled = False
        self._left = min(MOST, self._left + MOST)
        while self._waiting and self._left > 0:
            request, steps = self._waiting.popleft()
            if self._is_done(request, steps):
                request.client.resume()
            else:
                self._waiting.append((request, steps))
        if self._waiting:
            self._schedule()

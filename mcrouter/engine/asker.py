"""Whoever asks: a client's connection (client.py) or a call of the program around the router (call.py)."""

import collections
from typing import Any, Deque

from ..proto.commands import COMMANDS
from ..proto.replies import TOO_LARGE
from ..proto.requests import Request


class Asker:
    """What is in flight, in order. `frontend` is what it shares with the others, `lane` which of a host's connections
    it rides."""

    __slots__ = ("frontend", "lane", "loop", "queue")

    def __init__(self, frontend: Any, lane: int) -> None:
        self.frontend = frontend
        self.loop = frontend.loop
        self.lane = lane
        self.queue: Deque[Request] = collections.deque()

    def must_wait(self, request: Request) -> bool:
        """Whether an earlier request may yet be asked of another host, which must not have seen this one by then.

        `get k`, `set k` pipelined: when the get misses at the first host and goes on to the second, the set must not
        be there already, or the get would answer with a value from its future.
        """
        if request.kinds[0] >= len(COMMANDS):
            return False
        ways, reads, keys = self.frontend.ways, request.reads_only(), None
        for earlier in self.queue:
            if earlier.reply is None and ways[earlier.kinds[0]].goes_on and not (reads and earlier.reads_only()):
                keys = keys or set(request.all_keys())
                if not keys or not keys.isdisjoint(earlier.all_keys()):
                    return True
        return False

    def may_repeat(self, request: Request) -> bool:
        """Whether a request may be asked again that no host has answered: it changes nothing, nor does what has been
        asked since."""
        queue, origin = list(self.queue), request.origin or request
        since = queue[queue.index(origin) :] if origin in queue else []
        return bool(since) and all(later.kinds[0] >= len(COMMANDS) or later.repeatable() for later in since)

    def awaits(self, request: Request) -> bool:
        """Whether it still waits for the answer to a request, or to the one that this was made of."""
        origin = request.origin or request
        return origin.reply is None and origin in self.queue

    def may_ask_again(self) -> bool:
        """Whether a get in flight may be asked again later: nothing that was asked after it changes anything."""
        asked = [request for request in self.queue if request.reply is None]
        reads = [request.repeatable() for request in asked]
        return True in reads and all(reads[reads.index(True) :])


class ClientRequest(Request):
    """A client's request; the last sink of all."""

    __slots__ = ()

    def on_reply(self, reply: bytes, outcomes: bytes) -> None:
        """Takes the answer; it leaves when those before it have left."""
        client = self.client
        if reply is TOO_LARGE:
            client.too_large(self)
            return
        client.frontend.count(self, outcomes)
        client.answer(self, self.shown(reply, outcomes))

    def goes_on(self) -> bool:
        """Whether its route asks another host when the first has failed or has not got it."""
        return bool(self.client.frontend.ways[self.kinds[0]].goes_on)

    def on_failure(self, host: Any, reply: bytes, outcomes: bytes) -> None:
        """The answer, not a success, of a host that was given the request as its own sink: its route sees to it."""
        self.client.frontend.ways[self.kinds[0]].go_on(self, self, host, reply, outcomes)

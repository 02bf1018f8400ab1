"""Keeps the best answers so far while several hosts are asked the same request or run.

A command's reply is replaced by one of better rank. The ranks are, best first: a good outcome, a success, a miss or
other refusal, an error of a host, an error of the router. Among equals the first stays. A get of several keys is merged
key by key: each value that any host has is in the answer.
"""

from typing import Dict, List, Optional, Tuple

from ...proto import outcomes as o
from ...proto.replies import split_reply, value_blocks
from ...proto.reply import TOO_LARGE, AnyReply, Reply, joined, unstreamed
from ...proto.request import Request
from ...proto.seams import Sink
from .base import part
from .keyed import has_several_keys
from .pieces import values_reply


def is_good(outcomes: bytes, good: bytes = o.SUCCESS) -> bool:
    """Returns whether the outcome of every command is among `good`."""
    return not outcomes.translate(None, good)


class Best:
    """Merges replies to `request`. `missing()` returns the part of it without an outcome among `good`, which another
    host may still answer better."""

    def __init__(self, request: Request, good: bytes = o.SUCCESS) -> None:
        self._request = request
        self._good = good
        self._many_keys = has_several_keys(request)
        self._found: Dict[bytes, bytes] = {}
        self._replies: List[Optional[Reply]] = [None] * len(request.commands)
        self._outcomes = bytearray(len(request.commands))
        self._instead: Optional[Tuple[Reply, bytes]] = None  # the answer, if it cannot be joined
        self._open = list(range(len(request.commands)))  # places of the commands without a good outcome

    def add(self, reply: AnyReply, outcomes: bytes, asked: Request) -> bool:
        """Takes a reply, as bytes or in pieces, to `asked`: the request itself, or what `missing` returned.

        Returns whether now every command has a good outcome.
        """
        got: Reply = joined(reply) if isinstance(reply, (list, memoryview)) else reply
        if got is TOO_LARGE or (self._many_keys and outcomes == o.LEFT_OUT):
            self._instead = (got, outcomes[:1] * len(self._replies))
            return True
        if self._many_keys:
            return self._add_values(unstreamed(got), outcomes)
        whole = len(asked.commands) == len(self._replies)
        places = range(len(self._replies)) if whole else list(self._open)
        replies = [got] if len(outcomes) == 1 else split_reply(unstreamed(got), asked.commands, outcomes)
        for place, text, code in zip(places, replies, outcomes):
            self._improve(place, text, code)
        self._open = [place for place in self._open if self._outcomes[place] not in self._good]
        return not self._open

    def _improve(self, place: int, reply: Reply, code: int) -> None:
        known = self._outcomes[place]
        if not known or self._rank(code) < self._rank(known):
            self._outcomes[place] = code
            self._replies[place] = reply

    def _rank(self, code: int) -> Tuple[bool, int]:
        return code not in self._good, o.RANK[bytes([code])]

    def _add_values(self, reply: bytes, outcomes: bytes) -> bool:
        if outcomes in o.ANSWERS:
            for key, block in value_blocks(reply):
                self._found.setdefault(key, block)
        self._improve(0, reply, *outcomes)
        return outcomes in self._good or all(key in self._found for key in self._request.keys())

    def missing(self) -> Request:
        """Returns the part without a good outcome, as a request for the next host."""
        request = self._request
        if self._many_keys:
            keys = [key for key in request.keys() if key not in self._found]
            fields = request.data[:-2].split(b" ")
            head = fields[: len(fields) - len(request.keys())]  # the verb, and the exptime of gat
            return part(request, request.commands, b" ".join(head + keys) + b"\r\n", keys)
        if len(self._open) == len(request.commands):
            return request
        lines, expected = request.split(), request.expected
        return part(
            request,
            bytes(request.commands[place] for place in self._open),
            b"".join(lines[place] for place in self._open),
            [expected[place] for place in self._open] if expected else None,
        )

    def result(self, sink: Optional[Sink] = None) -> Tuple[Reply, bytes]:
        """Returns the reply and the outcomes to give to `sink`."""
        if self._instead is not None:
            return self._instead
        if self._many_keys and self._found:
            keys = self._request.keys()
            blocks = [self._found[key] for key in keys if key in self._found]
            whole = o.VALUE if len(blocks) == len(keys) else o.PARTIAL
            return values_reply(blocks, sink), whole
        if len(self._replies) == 1:  # may be other than bytes: a large value that still comes
            return self._replies[0] or b"", bytes(self._outcomes)
        return b"".join(unstreamed(reply or b"") for reply in self._replies), bytes(self._outcomes)

"""What an event loop tells of itself for `stats`, and what the answers are made of."""

from typing import Callable, List, NamedTuple, Optional, Tuple


class About(NamedTuple):
    """Facts that do not change while the router runs: the time of its start (Unix time), its command line, and the pid
    of the process that supervises those of the event loops."""

    started: float
    command_args: str = ""
    supervisor: Optional[int] = None


class RequestLoad(NamedTuple):
    """The requests under way in the event loop that answers.

    `processing`: requests of clients. `waiting`: clients whose next requests wait. `of_host`: from a host's name to its
    timeout in seconds, the requests that wait to be sent, and those that wait for an answer.
    """

    processing: int
    waiting: int
    of_host: Callable[[str], Tuple[float, int, int]]


Portion = Tuple[int, List[Tuple[str, object]]]
"""A part of the work for an answer: about how many microseconds it took, and the (name, value) pairs that it gave."""

"""Relays between the router and its hosts, and between clients and the router; the relay itself is tools/havoc/relay.py."""

import contextlib
from typing import Any, Callable, Iterator, List, Sequence

from havoc.relay import Anywhere, Cuts, Once, Relay, Segments

__all__ = ["Anywhere", "Cuts", "Once", "Relay", "Segments", "relays"]


@contextlib.contextmanager
def relays(ports: Sequence[int], cuts: Callable[[int], Cuts]) -> Iterator[List[Relay]]:
    """A relay for each port; `cuts` says by number where it cuts."""
    with contextlib.ExitStack() as stack:
        made: List[Any] = [Relay(port, cuts(number)) for number, port in enumerate(ports)]
        yield [stack.enter_context(relay) for relay in made]

"""The hosts in `stats`, in the format of facebook/mcrouter's servers (its stats.cpp)."""

from typing import Iterable, Iterator, Tuple

from ..engine.upstream import HARD_TKO, SOFT_TKO
from .facts import Facts
from .servers import Server
from .window import Window

_FLAGS = {SOFT_TKO: " soft_tko; ", HARD_TKO: " hard_tko; "}


def server_lines(facts: Facts, latencies: Window) -> Iterator[Tuple[str, str]]:
    """Yields `stats servers`: (name, text), in the format of facebook/mcrouter's ServerStat::toString."""
    asked = {(server.name, "count"): sum(server.answered) for server in facts.servers}
    asked.update({(server.name, "ms"): server.ms for server in facts.servers})
    growth = latencies.growth(facts.now, asked)
    for server in facts.servers:
        name = server.name
        timeout, pending, inflight = facts.load.hosts.get(name, (0.0, 0, 0))
        count = growth.of((name, "count"))
        latency = 1000 * growth.of((name, "ms")) / count if count else 0.0
        line = f"avg_latency_us:{latency:.3f} pending_reqs:{pending} inflight_reqs:{inflight}"
        line += _FLAGS.get(server.tko, "")
        line += "".join(f" {state}:{count}" for state, count in server.states.items() if count)
        told = [f"{result}:{count}" for result, count in server.told().items() if count]
        line += "; " + " ".join(told) if told else ""
        yield f"{'_'.join(name.split())}:ascii:plain:notcompressed-{timeout * 1000:.0f}", line


def suspect_lines(found: Iterable[Server]) -> Iterator[Tuple[str, str]]:
    """Yields `stats suspect_servers`: the hosts that are down for an event loop, or not read after missed writes."""
    for server in found:
        if server.tko or not server.healthy:
            status = "tko" if server.tko else "down"
            yield "_".join(server.name.split()), f"status:{status} num_failures:{server.failures}"

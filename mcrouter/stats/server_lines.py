"""The hosts in `stats`, in the format of facebook/mcrouter's servers (its stats.cpp)."""

from typing import Dict, Iterator, Tuple

from ..engine.hosts.tally import HARD_TKO, SOFT_TKO
from .about import Portion
from .facts import StatsFacts, portions
from .servers import Server
from .window import Growth, Window

_FLAGS = {SOFT_TKO: " soft_tko; ", HARD_TKO: " hard_tko; "}
_LINE = 20  # microseconds that one costs at most


def server_lines(facts: StatsFacts, latencies: Window) -> Iterator[Portion]:
    """Yields `stats servers`: for each host its name, and a line as facebook/mcrouter's ServerStat::toString makes
    it."""
    yield from facts.add_up()
    asked: Dict[Tuple[str, str], float] = {}
    for cost, part in portions(facts.servers):
        for server in part:
            asked[server.name, "count"], asked[server.name, "ms"] = sum(server.answered), server.ms
        yield cost, []
    growth = latencies.growth(facts.now, asked)
    for cost, part in portions(facts.servers, _LINE):
        yield cost, [_server_line(facts, growth, server) for server in part]


def _server_line(facts: StatsFacts, growth: Growth, server: Server) -> Tuple[str, str]:
    name = server.name
    timeout, pending, inflight = facts.load.of_host(name)
    count = growth.of((name, "count"))
    latency = 1000 * growth.of((name, "ms")) / count if count else 0.0
    line = f"avg_latency_us:{latency:.3f} pending_reqs:{pending} inflight_reqs:{inflight}"
    line += _FLAGS.get(server.tko, "")
    line += "".join(f" {state}:{count}" for state, count in server.states.items() if count)
    told = [f"{result}:{count}" for result, count in server.told().items() if count]
    line += "; " + " ".join(told) if told else ""
    return f"{'_'.join(name.split())}:ascii:plain:notcompressed-{timeout * 1000:.0f}", line


def suspect_lines(facts: StatsFacts) -> Iterator[Portion]:
    """Yields `stats suspect_servers`: the hosts that an event loop has given up, or does not read."""
    yield from facts.add_up()
    for cost, part in portions(facts.servers):
        yield cost, [_suspect_line(server) for server in part if server.tko or not server.healthy]


def _suspect_line(server: Server) -> Tuple[str, str]:
    status = "tko" if server.tko else "down"
    return "_".join(server.name.split()), f"status:{status} num_failures:{server.failures}"

"""The one table of statistics. Names and groups are those of facebook/mcrouter's stat_list.h and of its statistics by
command. Some are only in its older versions; they are kept for tools that read them (mcrouter_exporter, Telegraf).

facebook/mcrouter counts normal requests, requests after a failure, and shadow requests separately, and so has pairs of
names (`_out` and `_out_all`, `result_...` and `result_..._all`). Here both names have the same number: all requests.
"""

import enum
import os
from typing import Callable, Iterator, NamedTuple, Tuple

from ..counters.layout import EVENTS
from ..engine.hosts.tally import HARD_TKO, SOFT_TKO
from .facts import OPERATIONS, RESULT_NAMES, StatsFacts


class Group(enum.Flag):
    """The groups that a statistic is shown in. PLAIN is for names that memcached's own `stats` also has."""

    PLAIN = enum.auto()
    BASIC = enum.auto()
    DETAILED = enum.auto()
    CMD_ERROR = enum.auto()
    ODS = enum.auto()
    COUNT = enum.auto()


PLAIN, BASIC, DETAILED, CMD_ERROR, ODS, COUNT = Group
NAMED = {
    "": PLAIN | BASIC,
    "all": BASIC | DETAILED | CMD_ERROR | ODS | COUNT,
    "detailed": DETAILED,
    "cmd-error": CMD_ERROR,
    "ods": ODS,
    "count": COUNT,
    "external": Group(0),  # in facebook/mcrouter: statistics of code that is linked to it
}
"""The groups that `stats WORD` shows, by the word."""


class Stat(NamedTuple):
    """One statistic; its value is a whole number, a rate or seconds as a float, or text."""

    name: str
    groups: Group
    value: Callable[[StatsFacts], object]


def _total(name: str, counted: Group, rated: Group) -> Tuple[Stat, Stat]:
    """Returns the statistics of a total and of its growth per second."""
    return (
        Stat(f"{name}_count", counted, lambda facts: facts.count(name)),
        Stat(name, rated, lambda facts: facts.rate(name)),
    )


def _all(name: str, counted: Group, rated: Group) -> Iterator[Stat]:
    """Yields the same statistics with `_all` after their names."""
    for stat in _total(name, counted, rated):
        yield stat._replace(name=stat.name.replace(name, f"{name}_all"))


def _event(name: str) -> Stat:
    return Stat(name, BASIC | DETAILED | ODS, lambda facts: facts.event(name))


def _by_command() -> Iterator[Stat]:
    for name in (*OPERATIONS, "other"):
        # In memcached's own `stats` this name is the total.
        yield _total(f"cmd_{name}", PLAIN, PLAIN)[0]._replace(name=f"cmd_{name}")
        yield from _total(f"cmd_{name}", BASIC | ODS | COUNT, DETAILED | ODS)
        yield from _total(f"cmd_{name}_out", COUNT, BASIC | DETAILED | ODS)
        yield from _all(f"cmd_{name}_out", COUNT, BASIC | DETAILED | ODS)
    for name in OPERATIONS:
        for kind in ("local_error", "remote_error"):
            yield from _total(f"cmd_{name}_{kind}", CMD_ERROR | COUNT, CMD_ERROR | DETAILED | ODS)


def _by_result() -> Iterator[Stat]:
    for name in ("sent", "error", "success", "replied"):
        yield from _total(f"request_{name}", COUNT, DETAILED | ODS)
    for name in ("error", *RESULT_NAMES):
        yield from _total(f"result_{name}", ODS | COUNT, DETAILED | ODS)
        yield from _all(f"result_{name}", ODS | COUNT, DETAILED | ODS)


_ABSENT_COMMANDS = [name for name in ("lease_get", "lease_set", "metaget", "flushre") if name not in OPERATIONS]
_ABSENT = (
    # There are no fibers and no queues between threads here, and only the kernel knows about retransmissions.
    "fibers_allocated", "fibers_pool_size", "fibers_stack_high_watermark", "client_queue_notify_period",
    "retrans_closed_connections", "retrans_per_kbyte_max", "outstanding_route_get_reqs_queued",
    "outstanding_route_update_reqs_queued", "outstanding_route_get_avg_queue_size",
    "outstanding_route_update_avg_queue_size", "outstanding_route_get_avg_wait_time_sec",
    "outstanding_route_update_avg_wait_time_sec",
    # Writes to sockets, and the most requests under way, are not counted.
    "destination_batches_sum", "destination_batch_size", "destination_max_pending_reqs",
    "destination_max_inflight_reqs",
    # memcached never says that it is busy.
    *(f"result_busy{ending}" for ending in ("", "_count", "_all", "_all_count")),
    *(f"cmd_{name}{ending}" for name in _ABSENT_COMMANDS for ending in ("", "_count", "_out", "_out_all")),
)  # fmt: skip
"""Statistics that are always 0: they do not exist or are not counted here, but tools read them."""

_HOST = BASIC | DETAILED | ODS
_NOW = BASIC | ODS

STATS: Tuple[Stat, ...] = (
    Stat("version", BASIC | DETAILED, lambda facts: facts.version),
    Stat("commandargs", BASIC | DETAILED, lambda facts: facts.about.command_args),
    Stat("pid", BASIC | DETAILED, lambda facts: os.getpid()),
    Stat("parent_pid", BASIC | DETAILED, lambda facts: os.getppid()),
    Stat("time", BASIC | DETAILED, lambda facts: int(facts.now)),
    Stat("uptime", _HOST, lambda facts: int(facts.now - facts.about.started)),
    Stat("start_time", DETAILED | ODS, lambda facts: int(facts.about.started)),
    Stat("curr_connections", PLAIN, lambda facts: facts.cell("client_connections")),
    Stat("total_connections", PLAIN, lambda facts: facts.cell("client_connections_total")),
    Stat("num_clients", _HOST, lambda facts: facts.cell("client_connections")),
    Stat("num_client_connections", DETAILED | ODS, lambda facts: facts.cell("client_connections")),
    Stat("successful_client_connections", _NOW, lambda facts: facts.cell("client_connections_total")),
    # A host counts once for each event loop, since each has its own connections.
    Stat("num_servers", _HOST, lambda facts: sum(facts.sums.states.values())),
    Stat("num_servers_new", _HOST, lambda facts: facts.sums.states["new"]),
    Stat("num_servers_up", _HOST, lambda facts: facts.sums.states["up"]),
    Stat("num_servers_down", _HOST, lambda facts: facts.sums.states["down"]),
    Stat("num_servers_closed", _HOST, lambda facts: facts.sums.states["closed"]),
    Stat("num_suspect_servers", _HOST, lambda facts: facts.sums.tko[SOFT_TKO] + facts.sums.tko[HARD_TKO]),
    Stat("num_soft_tko_count", _HOST, lambda facts: facts.sums.tko[SOFT_TKO]),
    Stat("num_hard_tko_count", _HOST, lambda facts: facts.sums.tko[HARD_TKO]),
    Stat("ps_rss", _NOW, lambda facts: facts.usage.resident),
    Stat("ps_vsize", BASIC | DETAILED, lambda facts: facts.usage.virtual),
    Stat("ps_num_minor_faults", BASIC | DETAILED, lambda facts: facts.usage.minor_faults),
    Stat("ps_num_major_faults", BASIC | DETAILED, lambda facts: facts.usage.major_faults),
    Stat("ps_user_time_sec", BASIC | DETAILED, lambda facts: facts.usage.user),
    Stat("ps_system_time_sec", BASIC | DETAILED, lambda facts: facts.usage.system),
    Stat("rusage_user", BASIC | DETAILED, lambda facts: facts.usage.user),
    Stat("rusage_system", BASIC | DETAILED, lambda facts: facts.usage.system),
    Stat("num_proxies", _NOW, lambda facts: facts.event_loops),
    Stat("proxy_reqs_processing", _NOW, lambda facts: facts.load.processing),
    Stat("proxy_reqs_waiting", _NOW, lambda facts: facts.load.waiting),
    Stat("proxy_request_num_outstanding", DETAILED | ODS, lambda facts: facts.load.processing),
    Stat("destination_pending_reqs", _NOW, lambda facts: facts.sums.pending),
    Stat("destination_inflight_reqs", _NOW, lambda facts: facts.sums.inflight),
    Stat("destination_requests_sum", BASIC, lambda facts: facts.rate("destination_requests_sum")),
    Stat("duration_us", _NOW, lambda facts: facts.latency_us()),
    Stat("get_hits", PLAIN, lambda facts: int(facts.sums.hits)),
    Stat("get_misses", PLAIN, lambda facts: int(facts.sums.misses)),
    *map(_event, EVENTS),
    Stat("config_age", DETAILED | ODS, lambda facts: int(facts.now - facts.cell("config_last_success"))),
    Stat("config_last_attempt", DETAILED | ODS, lambda facts: facts.cell("config_last_attempt")),
    Stat("config_last_success", DETAILED | ODS, lambda facts: facts.cell("config_last_success")),
    Stat("config_failures", DETAILED | ODS, lambda facts: facts.cell("config_failures")),
    *_by_command(),
    *_by_result(),
    *(Stat(name, _NOW, lambda facts: 0) for name in _ABSENT),
)

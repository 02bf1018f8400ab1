"""How monitoring tools read `stats`, done again from their sources: what they parse, and which names they look up.

mcrouter_exporter: Dev25/mcrouter_exporter, main.go (getStats, getServerStats, Collect).
Telegraf: influxdata/telegraf, plugins/inputs/mcrouter/mcrouter.go (parseResponse, sendMetrics).
"""

from typing import Dict, List


def _words(text: str) -> List[str]:
    return text.split()


_OPERATIONS = _words(
    "add append cas decr flushall flushre get gets incr metaget prepend replace touch set delete lease_get lease_set"
)
_RESULTS = _words("busy connect_error connect_timeout data_timeout error local_error tko")
_STATES = _words("deleted touched found notfound notstored stored exists timeout connect_timeout remote_error")
EXPORTER_NUMBERS = [
    "start_time", "dev_null_requests", "duration_us", "fibers_allocated", "proxy_reqs_processing",
    "proxy_reqs_waiting", "config_failures", "config_last_attempt", "config_last_success", "num_clients",
    "ps_user_time_sec", "ps_system_time_sec", "ps_rss", "ps_vsize", "asynclog_requests",
    *(f"cmd_{name}{ending}" for name in _OPERATIONS for ending in ("", "_count", "_out", "_out_all")),
    *(f"request_{name}{ending}" for name in ("error", "replied", "sent", "success") for ending in ("", "_count")),
    *(f"result_{name}{ending}" for name in _RESULTS for ending in ("", "_count", "_all", "_all_count")),
    *(f"num_servers_{state}" for state in ("closed", "down", "new", "up")),
]  # fmt: skip
EXPORTER_TEXTS = ["version", "commandargs"]
EXPORTER_SERVER = _words(
    "avg_latency_us pending_reqs inflight_reqs stored notstored found notfound deleted touched exists remote_error"
    " connect_timeout timeout soft_tko hard_tko"
)
"""Of what it looks up, all but avg_retrans_ratio, which facebook/mcrouter does not always say either."""

_FIVE = ("get", "set", "delete", "lease_get", "lease_set", "other")
TELEGRAF_FLOATS = ["rusage_system", "rusage_user", "ps_user_time_sec", "ps_system_time_sec"]
TELEGRAF_RATES = [
    "destination_requests_sum",
    *(f"cmd_{name}{ending}" for name in _FIVE for ending in ("_out", "_out_all")),
]
"""It takes them for whole numbers, and leaves them out when they are not."""
TELEGRAF_INTEGERS = [
    *_words(
        "uptime num_servers num_servers_new num_servers_up num_servers_down num_servers_closed num_clients"
        " num_suspect_servers outstanding_route_get_reqs_queued outstanding_route_update_reqs_queued"
        " outstanding_route_get_avg_queue_size outstanding_route_update_avg_queue_size"
        " outstanding_route_get_avg_wait_time_sec outstanding_route_update_avg_wait_time_sec"
        " retrans_closed_connections destination_pending_reqs destination_inflight_reqs destination_batch_size"
        " destination_batches_sum asynclog_requests proxy_reqs_processing proxy_reqs_waiting client_queue_notify_period"
        " ps_num_minor_faults ps_num_major_faults ps_vsize ps_rss fibers_allocated fibers_pool_size"
        " fibers_stack_high_watermark successful_client_connections duration_us destination_max_pending_reqs"
        " destination_max_inflight_reqs retrans_per_kbyte_max"
    ),
    *(f"cmd_{name}{ending}" for name in _FIVE for ending in ("", "_count")),
]


def exporter_stats(answer: bytes) -> Dict[str, str]:
    """Of `stats all`; raises IndexError where the tool would panic."""
    found = {}
    for line in answer.decode().splitlines(keepends=True):
        if line == "END\r\n":
            return found
        parts = line.split(" ", 2)
        found[parts[1]] = parts[2].rstrip("\r\n")
    raise EOFError("no END")


def exporter_servers(answer: bytes) -> Dict[str, Dict[str, str]]:
    """Of `stats servers`, by host."""
    found = {}
    for line in answer.decode().splitlines(keepends=True):
        if line == "END\r\n":
            return found
        head, _, results = line.rstrip("\r\n").partition(";")
        words = head.strip(" ").split(" ")
        server = found[words[1]] = {"soft_tko": "0", "hard_tko": "0"}
        for word in words[2:]:
            if word in ("soft_tko", "hard_tko"):
                server[word] = "1"
            elif ":" in word:
                server.update([word.split(":", 1)])
        server.update(dict.fromkeys(_STATES, "0"))
        server.update(word.split(":", 1) for word in results.strip(" ").split(" ") if ":" in word)
    raise EOFError("no END")


def telegraf_stats(answer: bytes) -> Dict[str, str]:
    """Of `stats`; raises ValueError where the tool gives up."""
    found = {}
    for line in answer.decode().splitlines():
        if line == "END":
            break
        stat, name, value = line.split(" ", 2)
        if stat != "STAT":
            raise ValueError(line)
        found[name] = value
    return found

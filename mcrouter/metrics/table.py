"""The one table of metric families; the exposition and the README's table derive from it."""

from typing import NamedTuple, Tuple


class Metric(NamedTuple):
    """One family. `name` has no namespace prefix, except for the `process_*` names, which never take one."""

    name: str
    type: str
    help: str
    labels: Tuple[str, ...] = ()


METRICS = (
    Metric("requests_total", "counter", "Requests answered to clients.", ("cmd",)),
    Metric("request_duration_milliseconds", "histogram", "From a request's arrival to its answer.", ("cmd",)),
    Metric("upstream_requests_total", "counter", "Requests to a host that have ended, well or not.", ("cmd", "host")),
    Metric("upstream_request_duration_milliseconds", "histogram", "From asking a host to its answer.",
           ("cmd", "host")),
    Metric("upstream_errors_total", "counter", "Error lines, timeouts and lost connections.", ("cmd", "host")),
    Metric("upstream_healthy_hosts_total", "gauge", "Hosts that every event loop finds healthy."),
    Metric("upstream_connections_total", "gauge", "Open connections to a host, over all event loops.", ("host",)),
    Metric("upstream_get_hits_total", "counter", "Keys that a host had.", ("host",)),
    Metric("upstream_get_misses_total", "counter", "Keys that a host had not.", ("host",)),
    Metric("upstream_missed_writes_total", "counter", "Writes that a host has missed, or whose outcome is not known.",
           ("host",)),
    Metric("rejoin_journal_keys", "gauge", "Keys to be deleted on a host before it is read again.", ("host",)),
    Metric("rejoin_deleted_keys_total", "counter", "Keys deleted on a host before it was read again.", ("host",)),
    Metric("rejoin_flushes_total", "counter", "Times that a host was flushed before it was read again.", ("host",)),
    Metric("client_connections", "gauge", "Open client connections."),
    Metric("client_connections_total", "counter", "Client connections ever accepted."),
    Metric("config_failures_total", "counter", "Configs that were refused while the router ran."),
    Metric("config_last_reload_successful", "gauge", "1, or 0 when the newest config was refused."),
    Metric("config_age_seconds", "gauge", "How long the config has served, in seconds."),
    Metric("log_lines_dropped_total", "counter", "Lines of the log that were dropped as stderr was not read."),
    Metric("version", "gauge", "1, labelled with the version.", ("version",)),
    Metric("process_cpu_seconds_total", "counter", "User and system CPU time, all event loops, in seconds."),
    Metric("process_resident_memory_bytes", "gauge", "Resident memory, all event loops."),
    Metric("process_virtual_memory_bytes", "gauge", "Virtual memory, all event loops."),
    Metric("process_open_fds", "gauge", "Open file descriptors, all event loops."),
    Metric("process_max_fds", "gauge", "The limit on open file descriptors of one process."),
    Metric("process_start_time_seconds", "gauge", "When the router was started, Unix time."),
)  # fmt: skip
BY_NAME = {metric.name: metric for metric in METRICS}

"""The exposition: golden bytes, and whatever was counted makes a page that a strict parser reads back."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcrouter.counters.cells import clear_gauges, local_cells, observe
from mcrouter.counters.layout import BUCKETS_MS, STRIDE, SUM, Layout
from mcrouter.counters.reader import CounterReader
from mcrouter.metrics.exposition import CONTENT_TYPE, collect, render
from mcrouter.metrics.process import ProcessFacts
from mcrouter.metrics.table import METRICS
from mcrouter.proto.commands import COMMANDS

# A strict reader of the text format 0.0.4.

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,(?=[a-zA-Z_])|(?=\}))')
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN")


def unescape(text):
    return re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), text)


def read_sample(line):
    """A line -> name, labels, value as it is written."""
    name = NAME.match(line)[0]
    rest, labels = line[len(name) :], {}
    if rest.startswith("{"):
        at = 1
        while rest[at] != "}":
            match = LABEL.match(rest, at)
            assert match, line
            assert match[1] not in labels, line
            labels[match[1]] = unescape(match[2])
            at = match.end()
        assert labels, f"empty braces: {line}"
        rest = rest[at + 1 :]
    assert rest.startswith(" "), line
    assert NUMBER.fullmatch(rest[1:]), line
    return name, labels, rest[1:]


def read_page(page):
    """Bytes -> name of family -> (type, {labels: number or (cumulative counts, sum)})."""
    text = page.decode()
    assert text.endswith("\n")
    families, lines = {}, text[:-1].split("\n")
    while lines:
        kind, name, _ = lines[0][2:].split(" ", 2)
        assert (lines[0][:2], kind) == ("# ", "HELP")
        assert NAME.fullmatch(name)
        assert name not in families, "a family is in one place"
        type_line = lines[1].split(" ")
        assert type_line[:3] == ["#", "TYPE", name]
        end = next((i for i, line in enumerate(lines[2:], 2) if line.startswith("#")), len(lines))
        samples = [read_sample(line) for line in lines[2:end]]
        del lines[:end]
        series = read_histograms(name, samples) if type_line[3] == "histogram" else read_numbers(name, samples)
        families[name] = type_line[3], series
    return families


def read_numbers(name, samples):
    series = {}
    for sample_name, labels, value in samples:
        assert sample_name == name
        key = tuple(labels.items())
        assert key not in series, "a series is there once"
        series[key] = float(value)
    return series


def read_histograms(name, samples):
    per_series = len(BUCKETS_MS) + 3
    assert len(samples) % per_series == 0
    series = {}
    for start in range(0, len(samples), per_series):
        *buckets, total, count = samples[start : start + per_series]
        assert (total[0], count[0]) == (f"{name}_sum", f"{name}_count")
        assert {sample[0] for sample in buckets} == {f"{name}_bucket"}
        bounds = [labels.pop("le") for _, labels, _ in buckets]
        assert [float(bound) for bound in bounds] == [*BUCKETS_MS, math.inf]
        assert all(labels == total[1] == count[1] for _, labels, _ in buckets)
        counts = [float(value) for _, _, value in buckets]
        assert counts == sorted(counts)
        assert buckets[-1][2] == count[2]
        key = tuple(total[1].items())
        assert key not in series, "a series is there once"
        series[key] = counts, float(total[2])
    return series


# Golden bytes.

GOLDEN = r"""# HELP mcrouter_requests_total Requests answered to clients.
# TYPE mcrouter_requests_total counter
mcrouter_requests_total{cmd="get"} 6
mcrouter_requests_total{cmd="set"} 0
# HELP mcrouter_request_duration_milliseconds From a request's arrival to its answer.
# TYPE mcrouter_request_duration_milliseconds histogram
@6 mcrouter_request_duration_milliseconds_bucket{cmd="get",le="%s"} 2
@21 mcrouter_request_duration_milliseconds_bucket{cmd="get",le="%s"} 5
mcrouter_request_duration_milliseconds_bucket{cmd="get",le="+Inf"} 6
mcrouter_request_duration_milliseconds_sum{cmd="get"} 9007.4
mcrouter_request_duration_milliseconds_count{cmd="get"} 6
# HELP mcrouter_upstream_requests_total Requests to a host that have ended, well or not.
# TYPE mcrouter_upstream_requests_total counter
mcrouter_upstream_requests_total{cmd="delete",host="unix:///a\\b\"c"} 1
# HELP mcrouter_upstream_request_duration_milliseconds From asking a host to its answer.
# TYPE mcrouter_upstream_request_duration_milliseconds histogram
@23 mcrouter_upstream_request_duration_milliseconds_bucket{cmd="delete",host="unix:///a\\b\"c",le="%s"} 0
@4 mcrouter_upstream_request_duration_milliseconds_bucket{cmd="delete",host="unix:///a\\b\"c",le="%s"} 1
mcrouter_upstream_request_duration_milliseconds_bucket{cmd="delete",host="unix:///a\\b\"c",le="+Inf"} 1
mcrouter_upstream_request_duration_milliseconds_sum{cmd="delete",host="unix:///a\\b\"c"} 1000
mcrouter_upstream_request_duration_milliseconds_count{cmd="delete",host="unix:///a\\b\"c"} 1
# HELP mcrouter_upstream_errors_total Error lines, timeouts and lost connections.
# TYPE mcrouter_upstream_errors_total counter
mcrouter_upstream_errors_total{cmd="delete",host="unix:///a\\b\"c"} 1
# HELP mcrouter_upstream_healthy_hosts_total Hosts that every event loop finds healthy.
# TYPE mcrouter_upstream_healthy_hosts_total gauge
mcrouter_upstream_healthy_hosts_total 1
# HELP mcrouter_upstream_connections_total Open connections to a host, over all event loops.
# TYPE mcrouter_upstream_connections_total gauge
mcrouter_upstream_connections_total{host="cache-1:11211"} 4
mcrouter_upstream_connections_total{host="unix:///a\\b\"c"} 0
# HELP mcrouter_upstream_get_hits_total Keys that a host had.
# TYPE mcrouter_upstream_get_hits_total counter
mcrouter_upstream_get_hits_total{host="cache-1:11211"} 10
mcrouter_upstream_get_hits_total{host="unix:///a\\b\"c"} 0
# HELP mcrouter_upstream_get_misses_total Keys that a host had not.
# TYPE mcrouter_upstream_get_misses_total counter
mcrouter_upstream_get_misses_total{host="cache-1:11211"} 0
mcrouter_upstream_get_misses_total{host="unix:///a\\b\"c"} 7
# HELP mcrouter_upstream_missed_writes_total Writes that a host has missed, or whose outcome is not known.
# TYPE mcrouter_upstream_missed_writes_total counter
mcrouter_upstream_missed_writes_total{host="cache-1:11211"} 0
mcrouter_upstream_missed_writes_total{host="unix:///a\\b\"c"} 0
# HELP mcrouter_rejoin_journal_keys Keys to be deleted on a host before it is read again.
# TYPE mcrouter_rejoin_journal_keys gauge
mcrouter_rejoin_journal_keys{host="cache-1:11211"} 0
mcrouter_rejoin_journal_keys{host="unix:///a\\b\"c"} 0
# HELP mcrouter_rejoin_deleted_keys_total Keys deleted on a host before it was read again.
# TYPE mcrouter_rejoin_deleted_keys_total counter
mcrouter_rejoin_deleted_keys_total{host="cache-1:11211"} 0
mcrouter_rejoin_deleted_keys_total{host="unix:///a\\b\"c"} 0
# HELP mcrouter_rejoin_flushes_total Times that a host was flushed before it was read again.
# TYPE mcrouter_rejoin_flushes_total counter
mcrouter_rejoin_flushes_total{host="cache-1:11211"} 0
mcrouter_rejoin_flushes_total{host="unix:///a\\b\"c"} 0
# HELP mcrouter_client_connections Open client connections.
# TYPE mcrouter_client_connections gauge
mcrouter_client_connections 3
# HELP mcrouter_client_connections_total Client connections ever accepted.
# TYPE mcrouter_client_connections_total counter
mcrouter_client_connections_total 12
# HELP mcrouter_config_failures_total Configs that were refused while the router ran.
# TYPE mcrouter_config_failures_total counter
mcrouter_config_failures_total 2
# HELP mcrouter_config_last_reload_successful 1, or 0 when the newest config was refused.
# TYPE mcrouter_config_last_reload_successful gauge
mcrouter_config_last_reload_successful 0
# HELP mcrouter_config_age_seconds How long the config has served, in seconds.
# TYPE mcrouter_config_age_seconds gauge
mcrouter_config_age_seconds 1.5
# HELP mcrouter_log_lines_dropped_total Lines of the log that were dropped as stderr was not read.
# TYPE mcrouter_log_lines_dropped_total counter
mcrouter_log_lines_dropped_total 7
# HELP mcrouter_version 1, labelled with the version.
# TYPE mcrouter_version gauge
mcrouter_version{version="1.2.3"} 1
# HELP process_cpu_seconds_total User and system CPU time, all event loops, in seconds.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1.25
# HELP process_resident_memory_bytes Resident memory, all event loops.
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 20000000
# HELP process_max_fds The limit on open file descriptors of one process.
# TYPE process_max_fds gauge
process_max_fds +Inf
"""
BOUNDS = [f"{bound:g}" for bound in BUCKETS_MS]


def golden_lines():
    """GOLDEN with `@N line` written out for the next N bounds."""
    lines, bounds = [], iter(BOUNDS)
    for line in GOLDEN.splitlines():
        if not line.startswith("@"):
            bounds = iter(BOUNDS)
            lines.append(line)
            continue
        times, _, line = line[1:].partition(" ")
        lines += [line % next(bounds) for _ in range(int(times))]
    return lines


def test_golden_page():
    layout = Layout(["get", "set", "delete"], ["cache-1:11211", 'unix:///a\\b"c'])
    one, two = local_cells(layout), local_cells(layout)
    observe(one, layout.request[0], 0.1, count=2)
    observe(two, layout.request[0], 2.4667, count=3)
    observe(two, layout.request[0], 9000)
    one[layout.request[0] + SUM], two[layout.request[0] + SUM] = 0, 9007.4  # how floats add up is not its matter
    observe(one, layout.upstream[1][2], 1000)
    one[layout.errors[1][2]] += 1
    one[layout.hits[0]] += 6
    two[layout.hits[0]] += 4
    two[layout.misses[1]] += 7
    one[layout.healthy[0]] = one[layout.healthy[1]] = two[layout.healthy[0]] = 1
    one[layout.connections[0]] = two[layout.connections[0]] = 2
    one[layout.client_connections], two[layout.client_connections] = 1, 2
    one[layout.client_connections_total], two[layout.client_connections_total] = 5, 7
    facts = ProcessFacts(1.25, resident_memory_bytes=2e7, max_fds=math.inf)
    config = {"config_failures_total": 2, "config_last_reload_successful": 0, "config_age_seconds": 1.5, "log_lines_dropped_total": 7}
    page = render(collect(CounterReader(layout, [one, two]), "1.2.3", facts, config))
    assert page.decode().splitlines() == golden_lines()
    assert page.endswith(b"\n")
    assert CONTENT_TYPE == "text/plain; version=0.0.4; charset=utf-8"


def page_of(layout, rows, **options):
    return read_page(render(collect(CounterReader(layout, rows), "1", ProcessFacts(1.5, 2, 3, 4, 5, 6)), **options))


def names(namespace):
    return [metric.name if metric.name.startswith("process_") else f"{namespace}_{metric.name}" for metric in METRICS]


def test_a_fresh_router_shows_every_family():
    layout = Layout([command.name for command in COMMANDS], ["a:1", "b:2"])
    families = page_of(layout, [local_cells(layout)])
    assert list(families) == names("mcrouter")
    assert families["mcrouter_requests_total"][1] == {(("cmd", "get"),): 0, (("cmd", "set"),): 0}
    for name in ("connections", "get_hits", "get_misses"):
        assert families[f"mcrouter_upstream_{name}_total"][1] == {(("host", "a:1"),): 0, (("host", "b:2"),): 0}
    assert families["mcrouter_upstream_requests_total"][1] == {}
    assert families["mcrouter_upstream_healthy_hosts_total"][1] == {(): 0}


def test_another_namespace_renames_all_but_the_common_names():
    layout = Layout(["get"], ["a:1"])
    assert list(page_of(layout, [local_cells(layout)], namespace="gomcrouter")) == names("gomcrouter")


def test_without_process_facts_their_families_are_left_out():
    layout = Layout(["get"], ["a:1"])
    page = render(collect(CounterReader(layout, [local_cells(layout)]), "1"))
    assert list(read_page(page)) == [name for name in names("mcrouter") if not name.startswith("process_")]


def test_a_series_is_there_once_it_has_counted():
    layout = Layout(["get"], ["a:1"])
    cells = local_cells(layout)
    cells[layout.errors[0][0]] += 2
    families, key = page_of(layout, [cells]), (("cmd", "get"), ("host", "a:1"))
    assert families["mcrouter_upstream_errors_total"][1] == {key: 2}
    assert families["mcrouter_upstream_requests_total"][1] == {}
    assert families["mcrouter_upstream_request_duration_milliseconds"][1] == {}


@pytest.mark.parametrize(
    ("text", "written"),
    [("a\nb", r"a\nb"), ('"', r"\""), ("\\n", r"\\n"), ("\udcff", r"\\udcff"), ("é", "é"), ("\r}", "\r}")],
)
def test_label_values_are_escaped(text, written):
    layout = Layout([], [text])
    page = render(collect(CounterReader(layout, [local_cells(layout)]), "1"))
    assert f'mcrouter_upstream_get_hits_total{{host="{written}"}} 0\n'.encode() in page


def test_a_replaced_shard_takes_no_counter_back():
    layout = Layout(["get"], ["a:1"])
    cells = local_cells(layout)
    for i in range(layout.size):
        cells[i] += 3
    before = page_of(layout, [cells])
    clear_gauges(layout, cells)
    after = page_of(layout, [cells])
    assert {name for name in before if before[name] != after[name]} == {
        "mcrouter_client_connections",
        "mcrouter_rejoin_journal_keys",
        "mcrouter_upstream_connections_total",
        "mcrouter_upstream_healthy_hosts_total",
    }


counts = st.one_of(st.integers(0, 3), st.integers(0, 2**40))
sums = st.one_of(st.floats(0, 1e15), st.floats(0, 1e-3))


@st.composite
def routers(draw):
    """A layout and what some event loops have counted in it."""
    commands = draw(st.lists(st.sampled_from([command.name for command in COMMANDS]), unique=True, max_size=4))
    layout = Layout(commands, draw(st.lists(st.text(max_size=8), unique=True, max_size=3)))
    blocks = [*layout.request, *(block for host in (*layout.upstream, *layout.direct) for block in host)]
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        cells = local_cells(layout)
        for i in draw(st.lists(st.integers(0, layout.size - 1), max_size=20)):
            cells[i] = draw(counts)
        for block in blocks:
            cells[block + SUM] = draw(sums)
        rows.append(cells)
    return layout, rows


@given(routers())
def test_whatever_was_counted_is_on_the_page(router):
    layout, rows = router
    families = {name: series for name, (_, series) in page_of(layout, rows).items()}
    row = [sum(column) for column in zip(*rows)]

    def blocks_at(name, labels, *starts):
        """The series of histogram blocks that count as one, and of the counter that is their total."""
        cells = [sum(column) for column in zip(*(row[start : start + STRIDE] for start in starts))]
        running = [sum(cells[: i + 1]) for i in range(SUM)]
        if running[-1]:
            buckets, total = families[f"mcrouter_{name}_duration_milliseconds"].pop(labels)
            assert buckets == running and total == pytest.approx(cells[SUM])
        assert families[f"mcrouter_{name}s_total"].pop(labels, 0) == running[-1]

    for c, command in enumerate(layout.commands):
        blocks_at("request", (("cmd", command),), layout.request[c], *(direct[c] for direct in layout.direct))
        for h, host in layout.hosts:
            labels = ("cmd", command), ("host", host)
            blocks_at("upstream_request", labels, layout.upstream[h][c], layout.direct[h][c])
            assert families["mcrouter_upstream_errors_total"].pop(labels, 0) == row[layout.errors[h][c]]
    for name, cells in (
        ("upstream_connections_total", layout.connections),
        ("upstream_get_hits_total", layout.hits),
        ("upstream_get_misses_total", layout.misses),
        ("upstream_missed_writes_total", layout.missed),
        ("rejoin_journal_keys", layout.journal),
        ("rejoin_deleted_keys_total", layout.deleted),
        ("rejoin_flushes_total", layout.flushed),
    ):
        expected = {(("host", host),): row[cells[slot]] for slot, host in layout.hosts}
        assert families.pop(f"mcrouter_{name}") == expected
    assert families.pop("mcrouter_client_connections") == {(): row[layout.client_connections]}
    assert families.pop("mcrouter_client_connections_total") == {(): row[layout.client_connections_total]}
    healthy = sum(all(worker[i] for worker in rows) for i in layout.healthy)
    assert families.pop("mcrouter_upstream_healthy_hosts_total") == {(): healthy}
    assert families.pop("mcrouter_version") == {(("version", "1"),): 1}
    left = {name: series for name, series in families.items() if series}
    assert all(name.startswith("process_") for name in left), left


def test_a_page_of_200_hosts_with_every_command_is_valid():
    layout = Layout([command.name for command in COMMANDS], [f"h{n}:1" for n in range(200)])
    cells = [1.0] * layout.size
    requests = page_of(layout, [cells, cells])["mcrouter_upstream_requests_total"][1]
    assert len(requests) == 200 * len(COMMANDS)
    assert set(requests.values()) == {2.0 * 2 * SUM}

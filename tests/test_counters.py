"""Counters: every cell counts one thing; rows of event loops add up, also over processes."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcrouter.counters.cells import clear_gauges, local_cells, observe, shared_cells
from mcrouter.counters.layout import BUCKETS_MS, INF, STRIDE, SUM, Layout, bucket
from mcrouter.counters.reader import CounterReader

LAYOUT = Layout(["get", "set", "delete"], ["a:1", "b:2"])


def cells_of(layout):
    """Every cell that the layout names, block by block."""
    blocks = [*layout.request, *(block for host in (*layout.upstream, *layout.direct) for block in host)]
    yield from (cell for block in blocks for cell in range(block, block + STRIDE))
    by_host = (*layout.errors, *layout.refused, *layout.unsent, *layout.results)
    yield from (cell for host in by_host for cell in host)
    yield from (*layout.hits, *layout.misses, layout.client_connections_total, layout.request_errors)
    yield from (cell for host in range(len(layout.hosts)) for cell in (*layout.rejoin(host), *layout.health(host)))
    yield from (layout.client_connections, layout.pid, layout.beat, *layout.events.values(), *layout.connections)
    yield from (layout.config_failures, layout.config_last_attempt, layout.config_last_success)
    yield layout.log_lines_dropped


@pytest.mark.parametrize("layout", [LAYOUT, Layout([], []), Layout(["get"], []), Layout([], ["a"])])
def test_every_cell_has_one_meaning(layout):
    assert sorted(cells_of(layout)) == list(range(layout.size))


def test_names_are_unique():
    with pytest.raises(ValueError, match="twice"):
        Layout(["get"], ["a:1", "a:1"])


@pytest.mark.parametrize(
    ("ms", "where"), [(-1, 0), (0, 0), (0.1, 0), (0.100001, 1), (1, 4), (1.5, 5), (5000, INF - 1), (5000.1, INF)]
)
def test_a_bound_belongs_to_its_bucket(ms, where):
    assert bucket(ms) == where


@given(st.floats(min_value=0, max_value=1e6))
def test_bucket_is_the_first_that_holds_the_time(ms):
    assert bucket(ms) == next((i for i, bound in enumerate(BUCKETS_MS) if ms <= bound), INF)


def test_observe_counts_and_sums_up():
    cells = local_cells(LAYOUT)
    block = LAYOUT.request[1]
    observe(cells, block, 2.5)
    observe(cells, block, 4.0, count=3)
    observe(cells, block, 1e9)
    expected = [0.0] * STRIDE
    expected[bucket(2.5)], expected[bucket(4.0)], expected[INF], expected[SUM] = 1, 3, 1, 2.5 + 12 + 1e9
    assert cells[block : block + STRIDE] == expected
    assert sum(cells) == sum(expected)


@pytest.mark.parametrize("shared", [False, True])
def test_a_shards_start_clears_gauges_and_keeps_counters(shared):
    rows = shared_cells(LAYOUT, 1) if shared else None
    cells = rows.rows[0] if rows else local_cells(LAYOUT)
    for i in range(LAYOUT.size):
        cells[i] += 1
    clear_gauges(LAYOUT, cells)
    gauges = {LAYOUT.client_connections, LAYOUT.pid, LAYOUT.beat, *LAYOUT.connections, *LAYOUT.journal}
    gauges.update(LAYOUT.healthy, LAYOUT.tko, LAYOUT.failures, LAYOUT.returning, LAYOUT.turned, LAYOUT.why)
    assert [cells[i] for i in range(LAYOUT.size)] == [float(i not in gauges) for i in range(LAYOUT.size)]
    if rows:
        rows.close()


def test_a_host_is_healthy_if_every_shard_finds_it_so():
    one, two = local_cells(LAYOUT), local_cells(LAYOUT)
    one[LAYOUT.healthy[0]] = one[LAYOUT.healthy[1]] = two[LAYOUT.healthy[1]] = 1
    assert [CounterReader(LAYOUT, rows).healthy_hosts() for rows in ([one], [two], [one, two], [])] == [2, 1, 1, 0]


def test_shared_rows_do_not_overlap():
    shared = shared_cells(LAYOUT, 3)
    for number, row in enumerate(shared.rows):
        assert len(row) == LAYOUT.size
        for i in range(LAYOUT.size):
            row[i] += number + 1
    assert [row.tolist() for row in shared.rows] == [[n] * LAYOUT.size for n in (1.0, 2.0, 3.0)]
    shared.close()


def in_child(work):
    pid = os.fork()
    if not pid:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


@pytest.mark.skipif(not hasattr(os, "fork"), reason="shards are forked processes")
def test_the_parent_sees_what_its_children_count():
    shared = shared_cells(LAYOUT, 2)

    def count(number):
        cells = shared.rows[number]
        for _ in range(10_000):
            cells[LAYOUT.hits[number]] += 1
            observe(cells, LAYOUT.request[0], 0.25, count=number + 1)

    pids = [in_child(lambda number=number: count(number)) for number in (0, 1)]
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0]
    # An event loop that died is replaced by one that goes on in its row.
    assert os.waitpid(in_child(lambda: count(1)), 0)[1] == 0
    assert [[row[i] for i in LAYOUT.hits] for row in shared.rows] == [[10_000, 0], [0, 20_000]]
    block = LAYOUT.request[0]
    assert [row[block + bucket(0.25)] for row in shared.rows] == [10_000, 40_000]
    assert [row[block + SUM] for row in shared.rows] == [2_500.0, 10_000.0]
    shared.close()


def test_closing_is_final_quiet_and_repeatable():
    shared = shared_cells(LAYOUT, 2)
    row = shared.rows[1]
    part = row[3:5]  # somebody still looks at it: no BufferError, and the memory stays for as long
    shared.close()
    shared.close()
    assert part.tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="released"):
        row[0] += 1

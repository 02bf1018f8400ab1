"""Metrics: the table of families, the counters, the text exposition and the http thread.

    table.py       every family once: name, type, help, labels; the histogram's buckets
    counters.py    flat arrays of numbers and the layout that says which cell counts what; in shared memory over shards
    process.py     CPU, memory and descriptors of the router's processes
    exposition.py  counters -> families -> Prometheus text format; pure functions, no socket
    page.py        what a page is; /healthz
    server.py      the thread that accepts scrapes; handler.py, imported when it starts, speaks HTTP

The request path imports counters.py and adds to cells, nothing else. Everything else runs when somebody looks.
"""

from .counters import Layout, SharedCells, bucket, clear_gauges, healthy_hosts, local_cells, observe, shared_cells
from .exposition import CONTENT_TYPE, Family, Histogram, Sample, collect, render
from .page import Page, health_page
from .process import ProcessFacts, process_facts
from .server import MetricsServer
from .table import BUCKETS_MS, METRICS, Metric

__all__ = [
    "BUCKETS_MS",
    "CONTENT_TYPE",
    "METRICS",
    "Family",
    "Histogram",
    "Layout",
    "Metric",
    "MetricsServer",
    "Page",
    "ProcessFacts",
    "Sample",
    "SharedCells",
    "bucket",
    "clear_gauges",
    "collect",
    "health_page",
    "healthy_hosts",
    "local_cells",
    "observe",
    "process_facts",
    "render",
    "shared_cells",
]

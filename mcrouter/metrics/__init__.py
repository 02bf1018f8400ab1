"""Metrics: the table of families, the counters, the text exposition and the http thread.

    table.py       every family once: name, type, help, labels; the histogram's buckets
    counters.py    flat arrays of numbers, and the layout that says which cell counts what; event loops share the memory
    process.py     CPU, memory and descriptors of the router's processes
    exposition.py  counters -> families -> Prometheus text format; pure functions, no socket
    page.py        what a page is; /healthz
    server.py      the thread that accepts scrapes; handler.py speaks HTTP

The request path imports counters.py and adds to cells, nothing else. Everything else runs when somebody looks.
"""

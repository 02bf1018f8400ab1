"""Metrics: the table of families, the text exposition and the http thread.

    table.py       every family once: name, type, help, labels
    process.py     CPU, memory and descriptors of the router's processes
    exposition.py  counters -> families -> Prometheus text format; pure functions, no socket
    page.py        what a page is; /healthz
    server.py      the thread that accepts scrapes; handler.py speaks HTTP

All of it runs when a page is asked for.
"""

"""The counters of the router's event loops.

    layout.py  which cell counts what
    cells.py   the rows of cells: a list for one event loop, shared memory for several processes
    reader.py  adds the rows up into named figures; `metrics`, `stats` and `status` only format these

The request path imports layout.py and adds to cells, nothing else. Everything else runs when a page or `stats` is asked
for.
"""

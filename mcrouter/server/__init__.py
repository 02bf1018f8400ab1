"""What serves: event loops and their processes, configs and their reloads, restarts, and the pages of the metrics port.

    worker.py      an event loop with all that it serves     processes/     how many there are, and where they run
    hosts.py       makes its hosts                           configs/       where configs come from, and reloads
    policy.py      a config in effect                        listeners.py   the sockets that clients connect to
    pages.py       which page shows what                     inquiries.py   `get __mcrouter__.NAME`
    portions.py    work between ticks                        late_imports.py    what a start does not import
"""

"""The hosts' side of the engine.

    host.py        a host: what routes send requests to      connections/   its connections
    health.py      whether it can be relied on               state.py       its states, and what moves it
    probes.py      health checks                             reason.py      why it is not read
    resolver.py    its name's addresses                      peers.py       what the other event loops say of it
    tally.py       its counters

    missed_writes.py, journal.py, recovery.py    what a host has missed, and how it is made up for before it is read
"""

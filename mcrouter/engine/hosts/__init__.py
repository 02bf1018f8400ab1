"""The hosts' side of the engine.

    upstream.py    a host: what policies send to, and whether it can be relied on     why.py    reasons for its state
    lane.py        a connection that clients share          bulk.py     one for a single large value
    connection.py  what both have in common: opening, and letting go; lingering.py: connections that were given up
    health.py      probes                                   rejoin.py   what a host has missed while it was away
    peers.py       what the other event loops say of it     resolver.py its name's addresses
    meta_check.py  whether it speaks the meta protocol      tally.py    its counters
"""

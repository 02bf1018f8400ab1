"""The hosts' side of the engine.

    host.py        a host: what policies send to, and whether it can be relied on    reason.py   reasons for its state
    connection.py  a connection that clients share          streaming.py  one for a single large value
    socket.py      what both have in common: opening and closing; lingering.py: connections that were given up
    probes.py      health checks                            recovery.py   what a host has missed while it was away
    peers.py       what the other event loops say of it     resolver.py   its name's addresses
    meta_check.py  whether it speaks the meta protocol      tally.py      its counters
"""

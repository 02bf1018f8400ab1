"""The hosts' side of the engine.

    host.py        a host: what routes send requests to
    health.py      whether it can be relied on               state.py      its states, and what moves it
    probes.py      health checks                             reason.py     why it is not read
    resolver.py    its name's addresses                      peers.py      what the other event loops say of it

    connection.py  a connection that clients share; built of in_flight.py (requests without a reply, and timeouts),
                   outbox.py (writing), inbox.py (reading), and reply_memory.py (replies for which there is no room)
    streaming.py   a connection that carries one large value; exchange.py: when it is late; streaming_pool.py: all of
                   a host's
    socket.py      opening and closing, for each kind        lingering.py  closed connections with writes in flight
    meta_check.py  whether a host speaks the meta protocol   tally.py      a host's counters

    missed_writes.py, journal.py, recovery.py    what a host has missed, and how it is made up for before it is read
"""

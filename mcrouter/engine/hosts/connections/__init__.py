"""Connections to a host.

    connection.py  a connection that clients share; built of in_flight.py (requests without a reply, and timeouts),
                   outbox.py (writing), inbox.py (reading), and reply_memory.py (replies for which there is no room)
    streaming.py   a connection that carries one large value; exchange.py: when it is late; streaming_pool.py: all of
                   a host's
    socket.py      opening and closing, for each kind        lingering.py  closed connections with writes in flight
    meta_check.py  whether a host speaks the meta protocol
"""

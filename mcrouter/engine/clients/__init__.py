"""The clients' side of the engine.

    connection.py     a client's connection: its requests go to their routes, and their answers back, in its order
    inbox.py          its reading half          outbox.py  its writing half, and what keeps it off the fast path
    frontend.py       what all clients share, and the listener that accepts them
    source.py         the source of requests: a connection, or a call of the program around the router (call.py)
    large_values.py   large values on their way          local_work.py  what the router answers by itself, in portions
    limits.py         how many clients, and for how long  memory.py     how much is held for all of them
    handover.py       clients that go to another process
"""

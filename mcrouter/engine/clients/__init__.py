"""The clients' side of the engine.

    client.py         a client's connection: its requests go to their routes, and their answers back, in its order
    client_reader.py  its reading half          client_socket.py  its writing half, and what keeps it off the fast path
    frontend.py       what all clients share, and the listener that accepts them
    asker.py          the source of requests: a connection, or a call of the program around the router (call.py)
    transfer.py       large values on their way          local_work.py  what the router answers by itself, in portions
    limits.py         how many clients, and for how long  memory.py     how much is held for all of them
    handover.py       clients that go to another process
"""

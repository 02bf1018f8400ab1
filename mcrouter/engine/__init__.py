"""The event engine. It knows no policy.

    loop.py, poller.py, wakeup.py   the event loop, its poller, and the way to wake it up
    clients/                        connections of clients, what is held for them, their limits
    hosts/                          connections to hosts, their health, what a host has missed
    stream.py, writing.py           what connections read from and write to; writing many pieces at once
    seams.py                        what modules know of the objects above them: for mypy alone
    descriptors.py                  how many file descriptors there are for clients
"""

"""A simulated world: the real event loop, routes and connections over a fake kernel, with a virtual clock and one seed.

    python3 -m tests.simulation 1 200            200 runs without faults: every answer is known to the byte
    python3 -m tests.simulation 1 200 --faults   connections break, hosts freeze, die and answer late
    python3 -m tests.simulation 17 1 --trace     one run again, with every system call

    clients ──pipes──► kernel ◄── Event loop (frontend, routes, hosts, lanes, bulk lanes, probers)
                         ▲
    hosts ────pipes──────┘     everything that can act is an actor; the kernel lets one after the other act, by chance

Segments end where chance puts them, buffers may be tiny, and every size in the engine may be shrunk, so that a short
run reaches every branch. The same seed gives the same run on every Python.

Files: `pipes` (what travels), `kernel` (system calls, clock, scheduler), `sockets` (what the engine holds: sockets, the
listener, the poller); `hosts`, `commands` (what is asked and what is due), `clients`, `loose` (what may be answered
while there are faults); `system_calls`, `knobs` (what is replaced in the engine); `policies`, `faults`, `world` (one
run) and `endings` (what must be true after it).
"""

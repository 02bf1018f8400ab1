"""Event loops and their processes: one in this thread (single.py), or several, a process each (several.py); restarts.

    serving.py         what both have in common
    supervisor.py      forks the processes, replaces one that exits; channel.py: its messages
    worker_process.py  the process of one event loop
    takeover.py        a new process takes all clients over; systemd.py: notifies the service manager
"""

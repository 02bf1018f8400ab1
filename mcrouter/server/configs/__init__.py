"""Configs while the router runs: where they come from (source.py), how they are read (reading.py), when they change
(watcher.py), and how a new one gets into effect (reloading.py)."""

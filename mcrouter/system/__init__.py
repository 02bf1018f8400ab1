"""What the router uses of its process and its machine: log, clock, memory limit, late imports."""

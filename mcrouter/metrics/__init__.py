"""Counters, the Prometheus text format (a socket-free function) and the http thread that shows it."""

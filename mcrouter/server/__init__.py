"""The router as a running server: event loops and their processes, listeners, config in effect, restarts."""

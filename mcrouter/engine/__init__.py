"""The event engine: poller, poll group, frontend, upstream, health, resolver, shards. Knows no policy."""

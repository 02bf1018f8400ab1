"""What the tests share: real memcacheds, routers as processes, a raw client."""

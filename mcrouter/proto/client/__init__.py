"""The client's side of the protocol: bytes to requests, and how the client sees replies."""

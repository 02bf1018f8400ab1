"""The host's side of the protocol: bytes to replies, and the check of what is sent."""

"""Sans-I/O protocol: bytes to requests and replies, and the one table of commands. Imports no other room."""

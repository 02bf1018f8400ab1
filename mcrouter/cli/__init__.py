"""The command line: the router's own command and its subcommands."""

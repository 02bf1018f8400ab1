"""Reasons why a host is not read: as numbers that fit into a counter, and in words. The log has the details."""

import enum


class Reason(enum.IntEnum):
    """The reason that was found last."""

    NOTHING = 0
    REFUSES = 1
    TIMEOUTS = 2
    SILENT = 3
    WRONG = 4
    UNRESOLVED = 5
    MISSED = 6
    UNSURE = 7
    BUG = 8


WORDS = {
    Reason.NOTHING: "",
    Reason.REFUSES: "connections to it cannot be opened",
    Reason.TIMEOUTS: "it does not answer requests in time",
    Reason.SILENT: "it does not answer probes",
    Reason.WRONG: "it answers probes wrongly",
    Reason.UNRESOLVED: "its name does not resolve",
    Reason.MISSED: "it has missed writes",
    Reason.UNSURE: "whether it has done a write is not known",
    Reason.BUG: "an unexpected error, which the log has",
}

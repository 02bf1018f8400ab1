"""Why a host is not read, as a number that fits into a counter, and in words; the log says it in detail."""

import enum


class Why(enum.IntEnum):
    """What was found last."""

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
    Why.NOTHING: "",
    Why.REFUSES: "it takes no connections",
    Why.TIMEOUTS: "it does not answer requests in time",
    Why.SILENT: "it does not answer probes",
    Why.WRONG: "it answers probes wrongly",
    Why.UNRESOLVED: "its name does not resolve",
    Why.MISSED: "it has missed writes",
    Why.UNSURE: "whether it has done a write is not known",
    Why.BUG: "an unexpected error, which the log has",
}

"""Why a host is not read, as a number that fits into a counter, and in words; the log says it in detail."""

import enum


class Reason(enum.IntEnum):
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
    Reason.NOTHING: "",
    Reason.REFUSES: "it takes no connections",
    Reason.TIMEOUTS: "it does not answer requests in time",
    Reason.SILENT: "it does not answer probes",
    Reason.WRONG: "it answers probes wrongly",
    Reason.UNRESOLVED: "its name does not resolve",
    Reason.MISSED: "it has missed writes",
    Reason.UNSURE: "whether it has done a write is not known",
    Reason.BUG: "an unexpected error, which the log has",
}

"""What becomes of the requests to a host, in facebook/mcrouter's words (its carbon results without `mc_res_`).

Only results other than the expected ones are counted.
"""

from . import outcomes as o

RESULTS = (
    "notstored", "exists", "notfound",  # memcached's 'no', but for the misses of gets
    "client_error", "remote_error", "timeout",  # of what was sent
    "connect_error", "connect_timeout", "tko", "local_error",  # of what was not
)  # fmt: skip
"""All of them; a result is given by its place here."""

REMOTE_ERROR, TIMEOUT, CONNECT_ERROR, CONNECT_TIMEOUT, TKO, LOCAL_ERROR = map(
    RESULTS.index, ("remote_error", "timeout", "connect_error", "connect_timeout", "tko", "local_error")
)
ERRORS = tuple(RESULTS.index(name) for name in RESULTS[3:])
NEVER_SENT = (CONNECT_ERROR, CONNECT_TIMEOUT, TKO, LOCAL_ERROR)

EXPECTED = o.SUCCESS + o.PARTIAL + o.MISS
"""Outcomes of answers that are not counted by result: the most common, each known from other counters."""

OF_ANSWER = {
    o.NOT_STORED[0]: RESULTS.index("notstored"),
    o.EXISTS[0]: RESULTS.index("exists"),
    o.NOT_FOUND[0]: RESULTS.index("notfound"),
    o.CLIENT_ERROR[0]: RESULTS.index("client_error"),
    o.ERROR[0]: REMOTE_ERROR,
    o.SERVER_ERROR[0]: REMOTE_ERROR,
}
"""The result that each of the other outcomes of an answer is."""

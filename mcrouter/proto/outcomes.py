"""The outcome of a request, as policies see it: one byte for each command, so that the outcomes of a run are bytes.

A route does not look into a reply; it asks these sets (`code in SUCCESS`, or for a whole run
`not outcomes.translate(None, SUCCESS)`).
"""

VALUE = b"V"  # a hit: VALUE blocks and END, VA of the meta commands
PARTIAL = b"P"  # a multi-key get that found some of its keys
MISS = b"E"  # END alone, EN
STORED = b"S"
NOT_STORED = b"N"  # NOT_STORED, NS
EXISTS = b"X"  # EXISTS, EX
NOT_FOUND = b"F"  # NOT_FOUND, NF
DELETED = b"D"
TOUCHED = b"T"
NUMBER = b"#"  # incr's and decr's new value
OK = b"O"  # OK, RESET
TEXT = b"R"  # VERSION, STAT lists and other answers
HEADER = b"H"  # HD, MN, ME: a meta success without a value

ERROR = b"e"  # the host's ERROR
CLIENT_ERROR = b"c"  # the host's CLIENT_ERROR
SERVER_ERROR = b"s"  # the host's SERVER_ERROR

TIMEOUT = b"t"  # no answer within the timeout; a late one is dropped
LOST = b"l"  # the connection broke while the request was in flight
UNAVAILABLE = b"u"  # never sent: no healthy host, no connection
TKO = b"k"  # never sent: the host is known to be unhealthy ("taken out", in facebook/mcrouter's words)
LOCAL = b"x"  # never sent: the policy refuses the request

# A host has answered, but there was no memory for the reply: the client gets an error, no other host is asked.
LEFT_OUT = b"m"

_DONE = VALUE + STORED + DELETED + TOUCHED + NUMBER + OK + TEXT + HEADER
SUCCESS = _DONE + LEFT_OUT
MISSES = PARTIAL + MISS + NOT_STORED + EXISTS + NOT_FOUND  # memcached's 'no'
HOST_ERRORS = ERROR + CLIENT_ERROR + SERVER_ERROR
NEVER_SENT = UNAVAILABLE + TKO
OUR_ERRORS = TIMEOUT + LOST + NEVER_SENT + LOCAL
ANSWERS = _DONE + MISSES  # a host's real answer, wanted or not
EVERYTHING = SUCCESS + MISSES + HOST_ERRORS + OUR_ERRORS


def _ranks() -> "dict[bytes, int]":
    order = (SUCCESS, PARTIAL, MISS + NOT_STORED + EXISTS + NOT_FOUND, CLIENT_ERROR, ERROR, SERVER_ERROR, OUR_ERRORS)
    return {codes[i : i + 1]: rank for rank, codes in enumerate(order) for i in range(len(codes))}


RANK = _ranks()  # which of several replies to give when none is a success: the lowest

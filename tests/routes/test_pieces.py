"""When the reply to a get is given in pieces, so that a value that is named many times is not copied for each time."""

import pytest

from mcrouter.routes.framework.pieces import takes_pieces, values_reply


class Sink:
    """A sink that takes pieces, or does not."""

    def __init__(self, takes):
        self.takes_pieces = takes


def test_which_sinks_take_pieces():
    assert takes_pieces(Sink(True)) is True
    assert takes_pieces(Sink(False)) is takes_pieces(object()) is takes_pieces(None) is False


CASES = [  # the sizes of the values, how often each is named, whether the reply is given in pieces
    ([65537], 1, False),  # one value
    ([100], 1, False),
    ([32768], 2, False),  # 65536 bytes in all
    ([32769], 2, True),  # more; large
    ([65536, 1], 1, True),
    ([65535, 1], 1, False),
    ([4096] * 17, 1, False),  # 4096 bytes on average
    ([4096] * 16 + [4097], 1, True),
    ([100], 655, False),  # small, but often
    ([100], 656, True),
    ([1000] * 100, 1, False),  # small, each once
    ([1000] * 100, 2, False),  # twice
    ([1000] * 100, 3, True),
]


@pytest.mark.parametrize(("sizes", "times", "pieces"), CASES)
def test_a_large_reply_is_given_in_pieces_if_the_values_are_large_or_repeat(sizes, times, pieces):
    values = [bytes([number % 256]) * size for number, size in enumerate(sizes)]
    blocks = values * times
    reply = values_reply(blocks, Sink(True))
    assert reply == ([*blocks, b"END\r\n"] if pieces else b"".join(blocks) + b"END\r\n")
    assert values_reply(blocks, Sink(False)) == values_reply(blocks, None) == b"".join(blocks) + b"END\r\n"


def test_no_value():
    assert values_reply([], Sink(True)) == b"END\r\n"

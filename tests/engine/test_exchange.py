"""When an exchange with a host is late, stalled or queued: the table of TimedExchange, state by state."""

from types import SimpleNamespace

import pytest

from mcrouter.engine.hosts.connections.exchange import LEAST, Exchange, TimedExchange

NOW = 100.0


def exchange(state, reads=None, fed=True, unsent=b""):
    """An exchange in this state since NOW; `reads`: whether its reader can take more, None: it has none."""
    one = TimedExchange(SimpleNamespace(loop=SimpleNamespace(now=NOW)))
    one._exchange, one.unsent = state, unsent
    one._reader = None if reads is None else SimpleNamespace(can_take=lambda: reads)
    one._request = SimpleNamespace(large_value=SimpleNamespace(is_fed=lambda: fed))
    return one


AT_WORK = {Exchange.CONNECTING, Exchange.ASKING, Exchange.TALKING}


@pytest.mark.parametrize("state", Exchange)
def test_what_is_at_work_and_what_is_queued(state):
    one = exchange(state)
    assert one.is_at_work() == (state in AT_WORK)
    assert one.is_queued_since(NOW) == one.is_queued_since(NOW + 1) == (state is Exchange.QUEUED)
    assert not one.is_queued_since(NOW - 0.001)


CASES = [
    # state, whether its reader takes more, whether the client has sent all, what the host has not taken; stalled, due
    (Exchange.RESTING, None, True, b"", False, True),
    (Exchange.WAITING, None, True, b"", False, True),
    (Exchange.QUEUED, None, True, b"", False, False),
    (Exchange.CONNECTING, None, True, b"", False, False),
    (Exchange.ASKING, None, False, b"", False, True),
    (Exchange.TALKING, None, True, b"", False, True),
    (Exchange.TALKING, None, False, b"", True, False),
    (Exchange.TALKING, None, False, b"x", False, True),
    (Exchange.TALKING, None, True, b"x", False, True),
    (Exchange.TALKING, True, True, b"", False, True),
    (Exchange.TALKING, False, True, b"", True, False),
    (Exchange.TALKING, False, True, b"x", False, False),
]


@pytest.mark.parametrize(("state", "reads", "fed", "unsent", "stalled", "due"), CASES)
def test_whether_the_host_or_the_client_lets_it_wait(state, reads, fed, unsent, stalled, due):
    one = exchange(state, reads, fed, unsent)
    assert (one.is_stalled_since(NOW), one.is_due(NOW)) == (stalled, due)
    assert (one.is_stalled_since(NOW + 1), one.is_due(NOW + 1)) == (stalled, due)
    assert (one.is_stalled_since(NOW - 0.001), one.is_due(NOW - 0.001)) == (False, False)


def test_the_time_begins_anew_once_enough_has_moved_and_not_before():
    one = exchange(Exchange.TALKING)
    one.loop.now = NOW + 5
    one._progress(LEAST - 1)
    assert one.is_due(NOW)
    one._progress(1)
    assert not one.is_due(NOW)
    assert one.is_due(NOW + 5)
    one.loop.now = NOW + 9
    one._progress(LEAST - 1)
    assert one.is_due(NOW + 5)
    one._progress(LEAST)
    assert not one.is_due(NOW + 5)

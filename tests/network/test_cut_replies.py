"""Real memcacheds behind relays that cut, before them the router under ten policies: every answer is the right one.

ANSWERS in the environment sets how many answers are checked in all, SEED what all is drawn from.
"""

import os
import re

import pytest

from tests.network.clients import Clients, amount
from tests.network.policies import HOSTS, STRICT
from tests.support.processes import Memcached, RouterProcess
from tests.support.relay import Anywhere, Segments, relays

ANSWERS = amount("ANSWERS", 200_000)
SEED = os.environ.get("SEED", "cuts")
CLIENTS = 12
PATIENCE = 20.0  # seconds
BUFFERS = ("4096", "65536")  # of the router, by turns: the values are smaller and larger than that
FLAGS = ("-r", "10000", "-H", "1h", "--log-level", "warning")


def cuts(number):
    """Where a host's relay cuts."""
    return (Segments if number == HOSTS - 1 else Anywhere)(f"{SEED}/host {number}")


@pytest.fixture(scope="module")
def relayed():
    """The addresses of memcacheds, each behind a relay."""
    hosts = [Memcached("-m", "256", "-t", "1").start() for _ in range(HOSTS)]
    with relays([host.port for host in hosts], cuts) as made:
        yield [f"127.0.0.1:{relay.port}" for relay in made]
    for host in hosts:
        host.stop()


@pytest.mark.parametrize("number", range(len(STRICT)), ids=[policy.name for policy in STRICT])
def test_every_answer_is_right(relayed, number):
    router = RouterProcess(STRICT[number].text(relayed), *FLAGS, "-b", BUFFERS[number % len(BUFFERS)])
    try:
        with relays([router.port], lambda _: Anywhere(f"{SEED}/clients")) as (relay,):
            clients = Clients([relay.port, relay.port, router.port], CLIENTS, f"{SEED}{number}", True, PATIENCE)
            clients.run(ANSWERS // len(STRICT))
            assert relay.cut
        log = router.log()
    finally:
        router.stop()
    assert not clients.findings, "\n".join([*clients.findings, log[-2000:]])
    assert clients.counts["right"] >= ANSWERS // len(STRICT)
    assert not re.search("Traceback|unexpected error|connection lost", log), log[-2000:]

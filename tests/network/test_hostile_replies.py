"""Hosts that spoil replies before the router under thirteen policies: clients get right answers, misses or errors.

REQUESTS in the environment sets how many requests are answered in all, SEED what all is drawn from.
"""

import os
import re

import pytest

from tests.network.clients import Clients, amount
from tests.network.hostile import Hosts
from tests.network.policies import HOSTS, MORE, STRICT
from tests.support.processes import RouterProcess

REQUESTS = amount("REQUESTS", 500_000)
SEED = os.environ.get("SEED", "lies")
CLIENTS = 10
SHARE = 0.01  # of the replies are spoilt
TIMEOUT_MS = 100
LATENESS = 1.5 * TIMEOUT_MS / 1000  # seconds
PATIENCE = 10.0  # seconds; the promise is one timeout for each host that is asked in turn, the rest is for a busy machine
FLAGS = ("-r", str(TIMEOUT_MS), "-H", "50ms", "-b", "32768")
POLICIES = [*STRICT, *MORE]


@pytest.mark.parametrize("policy", POLICIES, ids=[policy.name for policy in POLICIES])
def test_no_answer_is_wrong(policy):
    wanted = REQUESTS // len(POLICIES)
    with Hosts(HOSTS, SEED + policy.name, SHARE, LATENESS) as hosts:
        router = RouterProcess(policy.text([f"127.0.0.1:{port}" for port in hosts.ports]), *FLAGS)
        try:
            clients = Clients([router.port], CLIENTS, f"{SEED}{POLICIES.index(policy)}", False, PATIENCE)
            clients.run(wanted)
            log = router.log()
        finally:
            router.stop()
    assert not clients.findings, "\n".join([*clients.findings, log[-2000:]])
    assert not re.search("Traceback|unexpected error", log), log[log.find("Traceback") :][:4000]
    assert hosts.spoilt
    assert clients.counts["right"] > wanted / 10, clients.counts  # else little was tried

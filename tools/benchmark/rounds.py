"""One case before several proxies in alternating rounds; medians, and ratios within each round."""

import math
import multiprocessing
from multiprocessing.connection import Connection
from statistics import median
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from .cases import MB, Batch, Case
from .loader import STALL, Done, load_process
from .proxies import Proxy
from .stage import BenchError, cpu_seconds, resident_bytes

_SLACK = 2 * STALL  # seconds that a load process may take more than it was asked to
_MEANT = ("cpu_us", "p50_us", "p99_us")


class Sample(NamedTuple):
    """One round of one proxy. Latencies are those of batches, CPU is that of one request."""

    requests: int
    requests_per_s: float
    p50_us: float
    p99_us: float
    user_us: float
    system_us: float
    cpu_us: float
    rss_mb: float
    loader_busy: float  # share of the time; near 1 the load generator is the limit


class _Loaders:
    """The load processes of one round; none is left at the end of a `with`."""

    def __init__(self, proxy: Proxy, case: Case, plan: Sequence[Batch], seconds: float, count: int) -> None:
        self._what = f"{proxy.name}, {case.name}"
        self._workers: List[Tuple[Any, Connection]] = []
        context = multiprocessing.get_context("fork")  # the plan is inherited, not copied
        for number in range(min(count, case.clients)):
            ours, theirs = context.Pipe()
            clients = case.clients // count + (number < case.clients % count)
            first = number * len(plan) // count
            args = (theirs, proxy.port, clients, plan, first, seconds)
            worker = context.Process(target=load_process, args=args, daemon=True)
            worker.start()
            theirs.close()
            self._workers.append((worker, ours))

    def __enter__(self) -> "_Loaders":
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        for worker, pipe in self._workers:
            pipe.close()
            if failed is None:
                worker.join(1.0)
            worker.kill()
            worker.join()

    def say(self) -> None:
        """The word that each waits for."""
        for _, pipe in self._workers:
            pipe.send(None)

    def hear(self, seconds: float) -> List[Optional[Done]]:
        """What each has to say; what is wrong ends the run."""
        heard: List[Optional[Done]] = []
        for _, pipe in self._workers:
            try:
                said = pipe.recv() if pipe.poll(seconds) else "the load process is stuck"
            except EOFError:
                said = "the load process died"
            if isinstance(said, str):
                raise BenchError(f"{self._what}: {said}")
            heard.append(said)
        return heard


def measure(proxy: Proxy, case: Case, plan: Sequence[Batch], seconds: float, loaders: int) -> Sample:
    """One round. Connecting and closing are not part of it."""
    with _Loaders(proxy, case, plan, seconds, loaders) as load:
        load.hear(_SLACK)
        before = cpu_seconds(proxy.process.pid)
        load.say()
        done = [said for said in load.hear(seconds + _SLACK) if said is not None]
        after = cpu_seconds(proxy.process.pid)
        rss = resident_bytes(proxy.process.pid)
        load.say()
    latencies = sorted(latency for said in done for latency in said.latencies)
    took = max(said.seconds for said in done)
    requests = len(latencies) * case.pipeline
    user, system = (1e6 * (b - a) / requests for a, b in zip(before, after))
    busy = sum(said.busy_seconds for said in done) / sum(said.seconds for said in done)
    p50, p99 = (latencies[math.ceil(share * len(latencies)) - 1] for share in (0.5, 0.99))
    return Sample(requests, requests / took, p50, p99, user, system, user + system, rss / MB, busy)


def compare(
    proxies: Sequence[Proxy], case: Case, plan: Sequence[Batch], rounds: int, seconds: float, loaders: int
) -> Dict[str, Any]:
    """The facts of a case: medians over the rounds, and ratios to the first rival (the second of `proxies`)."""
    samples: Dict[str, List[Sample]] = {proxy.name: [] for proxy in proxies}
    for turn in range(rounds):
        for proxy in list(proxies)[:: -1 if turn % 2 else 1]:
            samples[proxy.name].append(measure(proxy, case, plan, seconds, loaders))
    base = proxies[1].name if len(proxies) > 1 else None
    return {
        "case": case.name,
        "clients": case.clients,
        "pipeline": case.pipeline,
        "value_bytes": [case.smallest, case.largest],
        "get_percent": case.gets,
        "keys_per_get": case.keys,
        "proxies": [
            {
                "name": name,
                **{field: median(getattr(sample, field) for sample in own) for field in Sample._fields},
                "ratios_to": None if name == base else base,
                "ratios": None if base in (None, name) else _ratios(own, samples[str(base)]),
                "rounds": [sample._asdict() for sample in own],
            }
            for name, own in samples.items()
        ],
    }


def _ratios(own: Sequence[Sample], theirs: Sequence[Sample]) -> Dict[str, Optional[float]]:
    """Medians of the ratios within each round; None where a round was too short to count any CPU."""
    found: Dict[str, Optional[float]] = {}
    for field in _MEANT:
        pairs = [(getattr(a, field), getattr(b, field)) for a, b in zip(own, theirs)]
        found[field.partition("_")[0]] = median(a / b for a, b in pairs) if all(b for _, b in pairs) else None
    return found

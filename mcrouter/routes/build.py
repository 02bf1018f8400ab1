"""From a checked config to one route for each command, at load time."""

from typing import Any, Callable, Dict, List, Tuple

from ..proto.commands import COMMANDS, Command
from ..proto.requests import GET, SET, Plan
from .all_fastest import AllFastestRoute
from .base import Pool
from .default import DefaultRoute
from .local import LocalRoute
from .miss_failover import MissFailoverRoute

SELECTOR = "OperationSelectorRoute"
# Routes that a config may name, besides the selector, which is resolved here and never on the way.
OVER_POOL: Dict[str, Callable[[Pool], Any]] = {
    "AllFastestRoute": AllFastestRoute,
    "MissFailoverRoute": MissFailoverRoute,
    "DefaultRoute": DefaultRoute,
}
LOCAL = "LocalRoute"
NAMES = (SELECTOR, *OVER_POOL, LOCAL)


def choice(spec: Any, command: Command) -> str:
    """The name of the route that the config gives a command: its own, else that of the command it is like."""
    while spec.type == SELECTOR:
        chosen = spec.policies.get(command.name) or spec.policies.get(command.like)
        if chosen is None:
            return "DefaultRoute"
        spec = chosen
    return str(spec.type)


def build(spec: Any, pool: Pool, local: LocalRoute) -> Tuple[List[Any], Plan]:
    """(the route of each command in the table's order, which commands may share a run)."""
    made: Dict[str, Any] = {LOCAL: local}
    ways = []
    for command in COMMANDS:
        name = choice(spec, command)
        if name not in made:
            made[name] = OVER_POOL[name](pool)
        ways.append(made[name])
    gets, sets = ways[GET].takes_runs, ways[SET].takes_runs
    return ways, Plan(gets, sets, gets and ways[GET] is ways[SET])

"""What the config tests share: the corpus folders and the seed's vocabulary."""

from pathlib import Path

import pytest

from mcrouter.config import RouteOptions, Vocabulary
from mcrouter.proto.commands import COMMANDS

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    """The seed's routes and every command."""
    plain = ("DefaultRoute", "AllFastestRoute", "MissFailoverRoute", "LocalRoute")
    routes = {name: RouteOptions() for name in plain}
    routes["OperationSelectorRoute"] = RouteOptions(policies=True)
    return Vocabulary(routes, [command.name for command in COMMANDS])

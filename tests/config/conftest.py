"""What the config tests share: what a config may name."""

import pytest

from mcrouter.config import Vocabulary
from mcrouter.server.configs.reading import VOCABULARY


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    """The router's own."""
    return VOCABULARY

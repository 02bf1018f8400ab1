"""The example configs of facebook/mcrouter's wiki can be used as they are."""

import pytest

from .wiki_configs import CONFIGS, FOLDER, PENDING, load


def test_the_table_has_every_file():
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(CONFIGS)
    assert set(PENDING) <= set(CONFIGS)


@pytest.mark.parametrize("name", [name for name in CONFIGS if name not in PENDING])
def test_it_loads(name):
    config = load(name)
    assert config.hosts
    assert config.warnings == ()
    assert not config.seed

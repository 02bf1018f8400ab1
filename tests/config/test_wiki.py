"""The example configs of facebook/mcrouter's wiki can be used as they are."""

import pytest

from .wiki_configs import CONFIGS, FOLDER, load


def test_the_table_has_every_file():
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(CONFIGS)


@pytest.mark.parametrize("name", CONFIGS)
def test_it_loads(name):
    config = load(name)
    assert config.hosts
    assert config.warnings == ()
    assert not config.ordered_pool_form

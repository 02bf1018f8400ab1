"""The README is held to the code: its tables are those of the settings, the metrics and the commands."""

from pathlib import Path

from mcrouter import Settings, load_config
from mcrouter.cli.main import SUBCOMMANDS
from mcrouter.config.pools import _VALUES
from mcrouter.config.syntax.keys import OF_A_POOL, keys_table, options_table
from mcrouter.hashing import HASHES
from mcrouter.metrics.table import METRICS
from mcrouter.proto.commands import protocol_table
from mcrouter.routes.handles import HANDLES, ORDERED_POOL_HANDLES
from mcrouter.server.configs.reading import describe
from mcrouter.settings import flags_table
from tests.differential.differences import CHANCES, DIFFERENCES

README = Path(__file__).resolve().parent.parent.joinpath("README.md").read_text()


def test_every_flag_is_there_with_its_default_and_meaning():
    assert f"<!-- flags: derived from mcrouter/settings.py -->\n{flags_table()}\n" in README


def test_every_handle_is_there():
    for name in {**ORDERED_POOL_HANDLES, **HANDLES, "PoolRoute": None}:
        assert f"`{name}`" in README
    for name in HASHES:
        assert f"`{name}`" in README


def test_every_subcommand_is_there():
    for row in SUBCOMMANDS:
        assert f"mcrouter {row.name} " in README


def test_every_metric_is_there():
    for metric in METRICS:
        name = metric.name if metric.name.startswith("process_") else f"mcrouter_{metric.name}"
        labels = ", ".join(metric.labels) or "-"
        assert f"| `{name}` | {metric.type} | {labels} | {metric.help} |\n" in README


def test_its_table_of_commands_is_that_of_the_protocol():
    assert f"<!-- protocol: derived from mcrouter/proto/commands.py -->\n{protocol_table()}\n" in README


def test_its_limits_name_every_known_difference_with_its_reason():
    limits = " ".join(README.split("## Limits\n")[1].split())
    for reason in [*(difference.reason for difference in DIFFERENCES), *CHANCES]:
        assert f" - {reason} " in limits


def test_its_config_is_the_one_in_router_json():
    block = README.split("trailing commas are fine):\n\n")[1].split("\n\nHosts are")[0]
    yaml = "\n".join(line[4:] for line in block.splitlines())
    root = Path(__file__).resolve().parent.parent
    shown = load_config(yaml, "README")
    shipped = load_config(root.joinpath("router.json").read_text(), "README")
    assert describe(shown).splitlines()[1:] == describe(shipped).splitlines()[1:]


def test_settings_defaults_are_of_use():
    settings = Settings()
    assert (settings.timeout_ms, settings.healthcheck_interval, settings.dns_cache_ttl) == (1000, 10.0, 30.0)


def test_its_config_of_facebook_mcrouter_loads():
    block = README.split("a host's name is a route.\n\n")[1].split("\n\n<!--")[0]
    config = load_config("\n".join(line[4:] for line in block.splitlines()), "README")
    assert not config.ordered_pool_form and not config.warnings and len(config.hosts) == 4


def test_its_comparison_quotes_its_own_measurements():
    """CPU as a ratio to twemproxy's: what stands beside the others is what `Performance` has."""
    measured, beside = README.split("\n## Performance\n")[1].split("\n## Beside the others\n")
    ratios = {row.split(" | ")[0][2:]: row.split(" | ")[4] for row in measured.splitlines() if row.startswith("| ")}
    ours = {row.split(" | ")[0][2:]: row.split(" | ")[1] for row in beside.splitlines() if row.startswith("| CPU, ")}

    def of(words, mixed=False):
        found = sorted(ratio for load, ratio in ratios.items() if words in load and (" to 4 KB" in load) == mixed)
        return " to ".join(dict.fromkeys((found[0], found[-1])))

    assert ours == {
        "CPU, small requests pipelined; of mixed sizes": f"{of('64 pipelined')}; {of('64 pipelined', mixed=True)}",
        "CPU, one small request at a time": of("one request at a time"),
        "CPU, 10 KB values; 50 KB": f"{of(' 10 KB, ')}; {of(' 50 KB, ')}",
    }


def test_every_key_of_a_config_is_there():
    assert f"<!-- keys: derived from mcrouter/config/syntax/keys.py -->\n{keys_table()}\n" in README
    assert {key.name for key in OF_A_POOL} == {*_VALUES, "servers", "inherit", "name"}


def test_every_option_of_a_handle_is_there():
    assert f"<!-- options: derived from the handles -->\n{options_table(HANDLES)}\n" in README

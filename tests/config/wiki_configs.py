"""The example configs of facebook/mcrouter's wiki (as of prthiaga/mcrouter-wiki), in wiki/: <page>_<number>.json.

The text is the page's; what it leaves out is completed, as the table says.
"""

from pathlib import Path

from mcrouter.config import Config, Options, load_config
from mcrouter.server.configs.reading import VOCABULARY

FOLDER = Path(__file__).parent / "wiki"
CONFIGS = {
    # the default routing prefix (-R), what is completed
    "Cold-cache-warm-up-setup_1": ("/././", "hosts"),
    "Config-Files_1": ("/regionA/clusterA/", "the pools, with the hosts of `Defining pools`; both routes; an alias of the second"),
    "Config-Files_2": ("/././", "the pools, the place as the route, the options' `...`"),
    "Config-Files_3": ("/././", "the pools, the place as the route"),
    "Config-Files_4": ("/a/a/", "the pools, and the comma behind them"),
    "Config-Files_5": ("/a/a/", "the pools"),
    "Home_1": ("/././", ""),
    "List-of-Route-Handles_1": ("/././", "the pools"),
    "List-of-Route-Handles_2": ("/././", "hosts, the place as the route"),
    "List-of-Route-Handles_3": ("/././", "the pools, the place as the route, numbers for `double (optional)`"),
    "List-of-Route-Handles_4": ("/././", "the pools, the place as the route, its type"),
    "List-of-Route-Handles_5": ("/././", "the config: the page has the handle's properties alone"),
    "Multi-cluster-broadcast-setup_1": ("/a/a/", "hosts"),
    "Prefix-routing-setup_1": ("/././", "hosts"),
    "Replicated-pools-setup_1": ("/././", ""),
    "Routing-Prefix_1": ("/datacenter/cluster0/", "hosts"),
    "Routing-Prefix_2": ("/datacenter/cluster0/", "hosts"),
    "Shadowing-setup_1": ("/././", "hosts"),
    "Sharded-pools-setup_1": ("/././", ""),
    "Two-level-caching_1": ("/././", "hosts"),
    "Two-level-caching_2": ("/././", "hosts"),
    "mcrouter-configuration_1": ("/././", "the pools, which are those of the page's example before it"),
    "mcrouter-configuration_2": ("/././", "hosts"),
}



def load(name: str) -> Config:
    """One of them, checked."""
    text = (FOLDER / f"{name}.json").read_bytes()
    return load_config(text, name, VOCABULARY, Options(route_prefix=CONFIGS[name][0]))

"""What is mutated and which tests are asked: the only place where the mutation run names folders of the repository."""

from typing import Dict, Tuple

PACKAGE = "mcrouter"
COPIED = (PACKAGE, "tests", "tools", ".ci", "pyproject.toml", "README.md", "LICENSE", "router.json", "Dockerfile")
"""What a scratch copy of the repository has."""

TESTS: Dict[str, Tuple[str, ...]] = {
    "proto": ("tests/proto", "tests/routes", "tests/fuzz", "tests/engine", "tests/network", "tests/faults",
              "tests/test_readme.py"),
    "engine": ("tests/engine", "tests/faults", "tests/network", "tests/embedding", "tests/test_listeners.py"),
    "routes": ("tests/routes", "tests/config", "tests/explain", "tests/hashing", "tests/engine"),
    "config": ("tests/config", "tests/routes", "tests/explain", "tests/hashing", "tests/test_readme.py",
               "tests/test_inquiries.py", "tests/test_config_sources.py", "tests/test_metrics_exposition.py"),
}  # fmt: skip
"""For each folder of the package: the folders (or files) of its tests, the likeliest to notice a change first."""

IN_PROCESSES: Dict[str, Tuple[str, ...]] = {
    "proto": ("tests/simulation",),
    "engine": ("tests/simulation",),
    "routes": ("tests/simulation",),
    "config": (),
}
"""Tests that run the program in other processes, so that no record says which lines they reach; asked last."""

UNREACHED: Dict[str, Tuple[str, ...]] = {
    "proto": (),
    "engine": ("tests/integration/test_shards.py", "tests/integration/test_restart.py"),
    "routes": ("tests/test_start.py",),
    "config": ("tests/integration/test_reload.py", "tests/test_cli.py"),
}
"""The same, asked only about what few recorded tests reach: what the program does with several processes, say."""


def folder_of(path: str) -> str:
    """Returns the folder of the package that a file is in, by its path in the repository; "" if it is in none."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == PACKAGE and parts[1] in TESTS else ""

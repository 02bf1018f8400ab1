"""The repository keeps its promises: what lies where, nothing but the standard library, any name and any folder."""

import ast
import json
import os
import shutil
import subprocess
import sys
import zipapp

import pytest

from mcrouter.testing.cluster import SAMPLE_POLICY
from tests.support.processes import DEADLINE, ROOT

PACKAGE = ROOT / "mcrouter"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TOP_LEVEL = {"pyproject.toml", "mcrouter", "tests", "tools", "router.json", "README.md"}
HAS_TO_BE_THERE = {"LICENSE", "Dockerfile", ".dockerignore", ".gitignore", ".ci"}
NEWER_THAN_3_9 = {"tomllib", "annotationlib", "compression"}
LATER = {"argparse", "asyncio", "http", "logging", "multiprocessing", "socket", "threading", "typing", "urllib"}

named = pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))


def test_the_top_level_is_what_was_agreed():
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a checkout: whatever else lies here is not the repository's")
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=True)
    assert {line.split("/")[0] for line in files.stdout.splitlines()} == TOP_LEVEL | HAS_TO_BE_THERE


def test_there_is_a_package_to_look_at():
    assert len(SOURCES) > 20
    assert (PACKAGE / "py.typed").exists()


@named
def test_a_file_says_what_it_is_for_in_the_syntax_of_3_9(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    assert ast.get_docstring(tree)
    assert not any(type(node).__name__ in ("Match", "TryStar") for node in ast.walk(tree))


@named
@pytest.mark.skipif(sys.version_info < (3, 10), reason="3.9 has no list of its standard library")
def test_a_file_imports_the_standard_library_and_its_own_package_relatively(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        for name in names:
            assert name.split(".")[0] in sys.stdlib_module_names - NEWER_THAN_3_9, f"line {node.lineno}: {name}"


def python(*args, cwd=ROOT):
    # the folder it is started from is the only one of ours that it may import from
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, *args], capture_output=True, text=True, cwd=cwd, env=env, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def loaded_by(code):
    return set(python("-c", f"import sys; before = set(sys.modules); {code}; print(*set(sys.modules) - before)").split())


def test_to_import_it_loads_nothing_else():
    assert loaded_by("import mcrouter") == {"mcrouter"}


def test_settings_load_no_more_than_they_need():
    assert not {name.split(".")[0] for name in loaded_by("import mcrouter; mcrouter.Settings")} & (LATER - {"socket", "typing"})


def test_the_public_names_are_there():
    there = python("-c", "import mcrouter; print(*[name for name in mcrouter.__all__ if getattr(mcrouter, name)])")
    assert there == "ConfigError RequestError Router RouterError Settings SettingsError __version__ load_config\n"
    assert python("-c", "import mcrouter; print(hasattr(mcrouter, 'nonsense'))") == "False\n"


@pytest.fixture
def copy(tmp_path):
    """Copies the package to a folder of the test's own."""

    def make(name):
        shutil.copytree(PACKAGE, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        return tmp_path / name

    return make


CHECK = ("-f", str(ROOT / "router.json"), "--validate-config")


@pytest.mark.parametrize("name", ["mcrouter", "vendored", "mcrouter-0.1.0", "with space"])
def test_it_runs_as_a_folder_of_any_name(copy, name, tmp_path):
    summary = python("-m", "mcrouter", *CHECK)
    assert python("-X", "dev", "-W", "error", str(copy(name)), *CHECK, cwd=tmp_path) == summary
    assert python(str(tmp_path / name / "__main__.py"), *CHECK, cwd=tmp_path) == summary


def test_it_runs_as_part_of_another_package(copy, tmp_path):
    copy("host/vendor/cache_router")
    code = "from host.vendor.cache_router import Router, Settings; print(Router.__module__, Settings().timeout_ms)"
    assert python("-c", code, cwd=tmp_path) == "host.vendor.cache_router.router 1000\n"
    assert python("-m", "host.vendor.cache_router", *CHECK, cwd=tmp_path) == python("-m", "mcrouter", *CHECK)


def test_it_runs_as_a_zip(copy, tmp_path):
    zipapp.create_archive(copy("mcrouter"), tmp_path / "router.pyz")
    shutil.rmtree(tmp_path / "mcrouter")
    assert python("-X", "dev", "-W", "error", "router.pyz", *CHECK, cwd=tmp_path) == python("-m", "mcrouter", *CHECK)


def test_router_json_is_the_policy_of_the_demo():
    assert json.loads((ROOT / "router.json").read_text()) == {
        "orderedPool": ["127.0.0.1:11211", "127.0.0.1:11212"],
        "route": {"type": "OperationSelectorRoute", "operationPolicies": SAMPLE_POLICY},
    }


def test_the_smoke_test_passes():
    assert python("-X", "dev", "-W", "error", "tools/smoke.py").startswith("smoke test passed on ")

"""The house keeps its order: which room may import which, no circle, small files, few of them in a folder, one name for
one class. The rooms are the folders of the package, and the modules next to them."""

import ast
import collections

import pytest

from tests.support.processes import ROOT

PACKAGE = ROOT / "mcrouter"
SOURCES = sorted(PACKAGE.rglob("*.py"))

BASE = {"errors", "settings", "system"}
KNOWS = {
    # what stands alone
    "errors": set(),
    "system": set(),
    "settings": {"system"},
    "hashing": {"system"},
    "proto": {"system"},
    # the two halves of the router, which meet in proto/seams.py only
    "config": {"hashing", "system"},
    "routes": {"config", "hashing", "proto", "system"},
    "engine": {"proto", "system"},
    # what watches them
    "counters": {"proto", "system"},
    "metrics": {"counters", "proto", "system"},
    "spool": {"proto", "system"},
    "stats": {"counters", "engine", "metrics", "proto", "system"},
    "explain": {"config", "hashing", "proto", "routes", "system"},
    # composition
    "status": BASE | {"config", "counters", "engine", "explain", "metrics", "proto"},
    "client": {"errors"},
    "server": BASE | {"client", "config", "counters", "engine", "explain", "hashing", "metrics", "proto", "routes", "spool",
                      "stats", "status"},
    "router": BASE | {"client", "config", "counters", "engine", "metrics", "proto", "server", "spool", "stats"},
    # around a router
    "testing": BASE | {"config", "proto", "router", "server"},
    "demo": BASE | {"router", "server", "testing"},
    "top": {"counters", "status", "system"},
    "cli": BASE | {"config", "demo", "engine", "explain", "proto", "router", "routes", "server",
                   "spool", "status", "top"},
    "__main__": {"cli"},
}
"""What each room may import, directly. Every room may import the version from the package itself."""

FACADE = PACKAGE / "__init__.py"  # gives the public names; its imports are for mypy, and made when a name is used
MOST_LINES = 400
MOST_MODULES = 15  # in one folder
POLICIES = PACKAGE / "routes"  # one file for each route that a config can name

named = pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))


def module_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


MODULES = {module_of(path) for path in SOURCES}


def imported(path):
    """Yields (line, module) for all imports of modules of the package, also those for mypy alone, and those that are
    declared by `own` and `before` (system/deferred.py)."""
    folder = path.relative_to(PACKAGE).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            start = folder[: len(folder) + 1 - node.level]
            module = start + tuple((node.module or "").split(".") if node.module else ())
            for alias in node.names:
                yield node.lineno, (*module, alias.name) if (*module, alias.name) in MODULES else module
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("own", "before"):
            for argument in node.args:
                if isinstance(argument, ast.Constant):
                    yield node.lineno, tuple(argument.value.split("."))


def room_of(module):
    return module[0] if module else ""


def test_the_table_of_rooms_is_whole_and_has_no_circle():
    assert {room_of(module_of(path)) for path in SOURCES} - {""} == set(KNOWS)
    left = {room: set(below) for room, below in KNOWS.items()}
    while left:
        free = [room for room, below in left.items() if not below & set(left)]
        assert free, f"these import one another: {sorted(left)}"
        for room in free:
            del left[room]


@named
def test_a_file_imports_only_from_the_rooms_below_its_own(path):
    if path == FACADE:
        return
    room = room_of(module_of(path))
    for line, module in imported(path):
        known = not module or room_of(module) == room or room_of(module) in KNOWS[room]
        assert known, f"line {line}: {room} must not import {'.'.join(module)}; see KNOWS"
        assert not module or module in MODULES, f"line {line}: there is no module {'.'.join(module)}"


def circles(edges):
    """Returns the modules that import one another: what is left when all that lead nowhere are taken away."""
    left = {module: {to for to in ends if to != module} for module, ends in edges.items()}
    while True:
        leaves = [module for module, ends in left.items() if not any(to in left for to in ends)]
        if not leaves:
            return {module: sorted(ends & set(left)) for module, ends in left.items()}
        for module in leaves:
            del left[module]


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": set(), "d": {"d"}}) == {}
    assert circles({"a": {"b"}, "b": {"a"}, "c": set()}) == {"a": ["b"], "b": ["a"]}


def test_no_modules_import_one_another():
    edges = collections.defaultdict(set)
    for path in SOURCES:
        if path != FACADE:
            edges[module_of(path)] |= {module for _, module in imported_by_name(path)}
    assert circles({module: ends - {()} for module, ends in edges.items()}) == {}


def imported_by_name(path):
    """As `imported`, without what is imported when it is first used: that is how two modules may use each other."""
    deferred = {(node.lineno, argument.value) for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("own", "before")
                for argument in node.args if isinstance(argument, ast.Constant)}  # fmt: skip
    return [(line, module) for line, module in imported(path) if (line, ".".join(module)) not in deferred]


def test_routes_and_engine_meet_in_the_seams_only():
    assert "routes" not in KNOWS["engine"] and "engine" not in KNOWS["routes"]
    seams = [line for path in (PACKAGE / "routes").rglob("*.py") for line, to in imported(path) if to == ("proto", "seams")]
    assert len(seams) > 20


@named
def test_a_file_is_short(path):
    lines = len(path.read_text().splitlines())
    assert lines <= MOST_LINES


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in SOURCES}), ids=lambda folder: str(folder.relative_to(ROOT))
)
def test_a_folder_has_few_modules(folder):
    modules = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES or folder == POLICIES


def test_a_class_name_stands_for_one_class():
    places = collections.defaultdict(list)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert {name: found for name, found in places.items() if len(found) > 1} == {}

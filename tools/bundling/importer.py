# How the modules of the one script are imported: from their text, each compiled when it is first asked for, at the
# lines where it stands in the script, so that a traceback leads there. tools/bundle.py puts this at its beginning.
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any, Dict, Optional

__sources__: Dict[str, str] = {}
_lines: Dict[str, int] = {}  # before each


class _Importer:
    """Finds and runs the modules of `package`; a finder and a loader in one (sys.meta_path)."""

    def __init__(self, package: str) -> None:
        self._start = package + "."

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[ModuleSpec]:
        """Where a module stands, if it is one of these."""
        if name.startswith(self._start):
            stem = name[len(self._start) :].replace(".", "/")
            for place in (f"{stem}.py", f"{stem}/__init__.py"):
                if place in __sources__:
                    loader: Any = self
                    return ModuleSpec(name, loader, origin=place, is_package=place.endswith("/__init__.py"))
        return None

    def create_module(self, spec: ModuleSpec) -> None:
        """As is usual."""

    def exec_module(self, module: ModuleType) -> None:
        """Runs it."""
        assert module.__spec__ is not None and module.__spec__.origin is not None
        exec(self.code(module.__spec__.origin), module.__dict__)

    def code(self, place: str) -> CodeType:
        """The code of a module, by its path."""
        return compile("\n" * _lines[place] + __sources__[place], __file__, "exec", dont_inherit=True)


def _become(package: Any) -> None:
    """Makes a module the package whose modules stand in this script."""
    importer: Any = _Importer(package.__name__)
    package.__path__, package.__package__, package.__sources__ = [], package.__name__, __sources__
    sys.meta_path.insert(0, importer)
    exec(importer.code("__init__.py"), package.__dict__)


def _begin() -> None:
    """Runs the router, or is the package if it is imported."""
    if __name__ != "__main__":
        _become(sys.modules[__name__])
        return
    sys.modules["mcrouter"] = ModuleType("mcrouter")
    _become(sys.modules["mcrouter"])
    sys.exit(import_module("mcrouter.cli.main").main())

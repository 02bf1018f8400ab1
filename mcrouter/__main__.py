"""`python3 -m mcrouter`, `python3 path/to/mcrouter`, and the package as a zip (`python3 -m zipapp mcrouter`)."""

import sys

if __package__:
    from .cli.main import main
else:  # run as a folder or a zip: it is not a package yet, and its name may be one that no package can have
    import importlib
    import os
    from importlib.machinery import PathFinder
    from types import ModuleType

    here = os.path.dirname(os.path.abspath(__file__))
    package = sys.modules["mcrouter"] = ModuleType("mcrouter")
    package.__path__ = [here]
    found = PathFinder.find_spec("__init__", [here])
    exec(found.loader.get_code("__init__"), package.__dict__)  # type: ignore[union-attr]
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]  # modules belong to the package
    main = importlib.import_module("mcrouter.cli.main").main

if __name__ == "__main__":
    sys.exit(main())

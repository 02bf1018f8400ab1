"""`python3 -m mcrouter`, `python3 path/to/mcrouter`, and the package as a zip."""

import sys

if __package__:
    from .cli import main
else:  # run as a folder or a zip: it is not a package yet, under whatever name it lies there
    import importlib
    import os

    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[0] = os.path.dirname(here)
    main = importlib.import_module(f"{os.path.basename(here)}.cli").main

if __name__ == "__main__":
    sys.exit(main())

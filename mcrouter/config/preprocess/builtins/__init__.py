"""The macros that need no definition: one table, name -> macro.

    casts.py        int, double, str, bool; isInt and other type checks
    logic.py        if, and, or, not; equals, less, contains, empty; define, defined, fail
    numbers.py      arithmetic of whole numbers and of their bits
    containers.py   keys, values, merge, select, slice, split, range, size, set, sort, shuffle
    loops.py        transform, process, foreach
    hashes.py       hash, weightedHash
    outside.py      import, isLocalIp

Each can be called in a text, `@select(%list%, @int(0))`, and as a map, `{type: select, dictionary: ..., key: ...}`.
An argument is expanded when it is first used, so that an `if` expands only one of its sides.
"""

from ..call import Macro
from .casts import MACROS as CASTS
from .containers import MACROS as CONTAINERS
from .hashes import MACROS as HASHES
from .logic import MACROS as LOGIC
from .loops import MACROS as LOOPS
from .numbers import MACROS as NUMBERS
from .outside import MACROS as OUTSIDE

_ALL = (*CASTS, *LOGIC, *NUMBERS, *CONTAINERS, *LOOPS, *HASHES, *OUTSIDE)

BUILTINS: dict[str, Macro] = {macro.name: macro for macro in _ALL}

"""The one table of the macros that need no definition: name -> macro."""

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

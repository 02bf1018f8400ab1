"""The macros that need no definition.

    table.py        all of them by name
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

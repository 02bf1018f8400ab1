"""Expands the macros, constants and parameters of a config (JSONM).

    text.py         the syntax inside a text: %parameter%, @macro(argument, ...), backslashes
    scope.py        names and their values
    call.py         macros and built-ins, and one call with its arguments
    definitions.py  the definitions under `macros` and `consts`
    expander.py     walks the tree
    limits.py       limits the number of values that macros make
    builtins/       the macros that need no definition

The language is that of facebook/mcrouter (lib/config/ConfigPreprocessor.cpp, and JSONM.md in its wiki), except that
- maps keep their order, and a map in which two keys become equal is an error;
- a list or map that a macro returns in a list is one item of that list, unlike in the examples of JSONM.md;
- a config that uses nothing of this language is not changed: its backslashes stay;
- sizes and places in texts count characters, not bytes.
"""

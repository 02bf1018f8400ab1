"""The definitions of a config, under `macros` and `consts`.

    macros: {name: {type: macroDef, params: [name, {name, default}, ...], result: ...},
             name: {type: constDef, result: ...}}      or a list of such maps, or a call that returns either
    consts: [{type: constDef, name: ..., result: ...}]      or a map {name: value, name: {type: constDef, ...}};
                                                            `value` is the same as `result`

A macro can use only its own parameters, the constants, and the parameters of the whole config. A constant is expanded
when it is first used, so constants and macros may use one another in any order. A later definition of a name replaces
an earlier one; it may also replace a built-in.
"""

from typing import Optional

from ..errors import show
from ..syntax.tree import Map, Node, Scalar, Seq, field, kind
from .call import Call, Expansion, Macro, Param
from .scope import Lazy, Scope

DEFINITIONS = ("macroDef", "constDef")  # maps of these types are not expanded in place
_WRITE = "write {type: macroDef, params: [...], result: ...} or {type: constDef, result: ...}"


def define_macros(expander: Expansion, node: Node) -> None:
    """Adds the definitions under `macros`."""
    if isinstance(node, Seq):
        for item in node.items:
            define_macros(expander, item)
        return
    made = expander.expand(node, Scope({}))
    if isinstance(made, Seq):
        define_macros(expander, made)
    elif isinstance(made, Map):
        for entry in made.entries:
            _define(expander, str(entry.key.value), entry.value)
    else:
        expander.fail(node, f"'macros' is {kind(made)}; write a map of names and definitions, or a list of such maps")


def define_consts(expander: Expansion, node: Node) -> None:
    """Adds the definitions under `consts`."""
    is_call = not isinstance(node, Map) or field(node, "type") is not None
    made = expander.expand(node, Scope({})) if is_call else node
    if isinstance(made, Map):
        for entry in made.entries:
            value = entry.value if is_call else Lazy(entry.value, Scope({}))
            expander.add_const(
                str(entry.key.value), _const(expander, entry.value) if _type(entry.value) == "constDef" else value
            )
    elif isinstance(made, Seq):
        for item in made.items:
            name = field(item, "name") if isinstance(item, Map) and _type(item) == "constDef" else None
            if not isinstance(name, Scalar) or not isinstance(name.value, str):
                expander.fail(item, "this is not a constant; write {type: constDef, name: ..., result: ...}")
            expander.add_const(name.value, _const(expander, item))
    else:
        expander.fail(node, f"'consts' is {kind(made)}; write a list of constDef, or a map of names and values")


def _define(expander: Expansion, name: str, node: Node) -> None:
    """Adds one definition under `macros`."""
    what = _type(node)
    if not isinstance(node, Map):
        expander.fail(node, f"the definition of {show(name)} is {kind(node)}; {_WRITE}")
    if what == "constDef":
        expander.add_const(name, _const(expander, node))
    elif what == "macroDef":
        result = field(node, "result") or _no_result(expander, node)
        expander.add_macro(Macro(name, _params(expander, name, field(node, "params")), _Result(result)))
    else:
        expander.fail(node, f"the definition of {show(name)} has no known 'type'; {_WRITE}")


class _Result:
    """The function of a macro: expands its result with the arguments as the only names."""

    def __init__(self, result: Node) -> None:
        self._result = result

    def __call__(self, call: Call) -> Node:
        arguments = {param.name: call.value(param.name) for param in call.macro.params if call.has(param.name)}
        return call.expander.expand_body(self._result, Scope(arguments), call)


def _params(expander: Expansion, macro: str, node: Optional[Node]) -> tuple[Param, ...]:
    """Returns the parameters of a macroDef."""
    if node is None:
        return ()
    if not isinstance(node, Seq):
        expander.fail(node, f"the 'params' of {show(macro)} is {kind(node)}; write a list of names")
    params: list[Param] = []
    for item in node.items:
        param = _param(expander, item)
        if param.name in [earlier.name for earlier in params]:
            expander.fail(item, f"{show(macro)} has the parameter {show(param.name)} twice; rename one of them")
        if param.required and params and not params[-1].required:
            advice = "give it a default, or move it before those that have one"
            expander.fail(item, f"the parameter {show(param.name)} is required, but one before it is not; {advice}")
        params.append(param)
    return tuple(params)


def _param(expander: Expansion, node: Node) -> Param:
    """Returns one parameter, given by its name or as a map."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return Param(node.value)
    name = field(node, "name") if isinstance(node, Map) else None
    if not isinstance(node, Map) or not isinstance(name, Scalar) or not isinstance(name.value, str):
        expander.fail(node, "this is not a parameter; write its name, or {name: ..., default: ...}")
    default, optional = field(node, "default"), field(node, "optional")
    if optional is not None and not (isinstance(optional, Scalar) and isinstance(optional.value, bool)):
        expander.fail(optional, f"'optional' is {kind(optional)}; write true or false")
    can_lack = isinstance(optional, Scalar) and optional.value is True
    if default is not None and optional is not None and not can_lack:
        expander.fail(optional, "a parameter that has a default is optional; remove the default, or 'optional: false'")
    return Param(name.value, default, default is None and not can_lack)


def _type(node: Node) -> Optional[str]:
    """Returns the `type` of a map, if it has one."""
    found = field(node, "type") if isinstance(node, Map) else None
    return found.value if isinstance(found, Scalar) and isinstance(found.value, str) else None


def _const(expander: Expansion, node: Node) -> Lazy:
    """Returns the value of a constDef: its `result`, or its `value`, as in facebook/mcrouter's documents."""
    result = (field(node, "result") or field(node, "value")) if isinstance(node, Map) else None
    return Lazy(result or _no_result(expander, node), Scope({}))


def _no_result(expander: Expansion, node: Node) -> Node:
    expander.fail(node, "the definition has no 'result'; write its value as 'result: ...'")


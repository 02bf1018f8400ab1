"""The small changes that are made to a source file: one at a time, each of a kind that a programmer's slip may be.

Left alone is what no test is meant to hold: docstrings and other texts, what is raised and what is logged, assertions,
annotations, `__slots__`, `__repr__` and `__str__`.
"""

import ast
import copy
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple, Type

_COMPARISONS: Dict[Type[ast.cmpop], Type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC: Dict[Type[ast.operator], Type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}  # fmt: skip
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
_LOGGERS = ("logger", "logging")
_TEXTS = ("__repr__", "__str__")
_CONSTRUCTORS = ("__init__", "__new__")
_SHORT = 100  # characters
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)

_Edit = Callable[[Any], Any]  # changes a node in place, or returns what takes its place


class Mutant(NamedTuple):
    """One change to one file."""

    path: str  # in the repository
    line: int  # of what is changed, from 1
    span: Tuple[int, int]  # lines, the last included, that a test passes when it reaches what is changed
    function: str  # that it is in; empty: it is done when the module is imported
    text: str  # the source line
    change: str  # "old -> new"
    place: int  # of the node in the order of the tree
    choice: int  # of what can be done to that node

    def describe(self) -> str:
        """Returns where it is and what it changes, in one line."""
        return f"{self.path}:{self.line}: {self.change}"


def find(path: str, source: str) -> List[Mutant]:
    """Returns all mutants of a file, in its order. `path` is its path in the repository. Raises SyntaxError."""
    tree, lines, found = ast.parse(source), source.splitlines(), []
    for place, (node, parent, span, function) in enumerate(_visit(tree)):
        for choice, edit in enumerate(_edits(node)):
            old, new = _apply_to_constant(node, parent, edit) if isinstance(node, ast.Constant) else _apply(node, edit)
            found.append(Mutant(path, node.lineno, span, function, lines[node.lineno - 1].strip(), f"{old} -> {new}",
                                place, choice))  # fmt: skip
    return found


def mutate(source: str, mutant: Mutant) -> str:
    """Returns the source of the file with the change made; comments and the layout are lost."""
    tree = ast.parse(source)
    node = [node for node, *_ in _visit(tree)][mutant.place]
    edit = _edits(node)[mutant.choice]
    new = edit(node)
    if new is not None:
        _Replace(node, new).visit(tree)
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


class _Replace(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> Any:
        """Visits a node and what is in it."""
        return self._new if node is self._old else self.generic_visit(node)


def _apply(node: Any, edit: _Edit) -> Tuple[str, str]:
    """The source of a node before and after, each in one line; of a compound statement only its head."""
    old, node = _shown(node), copy.deepcopy(node)
    new = edit(node)
    return old, _shown(node if new is None else new)


def _apply_to_constant(node: ast.Constant, parent: ast.AST, edit: _Edit) -> Tuple[str, str]:
    """The same of a constant, shown with what it stands in, where that is short."""
    value, where = node.value, parent
    if hasattr(parent, "body") or len(_shown(parent)) > _SHORT:
        where = node
    old = _shown(where)
    edit(node)
    new = _shown(where)
    node.value = value
    return old, new


def _shown(node: ast.AST) -> str:
    if isinstance(node, (ast.If, ast.While)):
        return f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
    return " ".join(ast.unparse(node).split())


# what is visited ------------------------------------------------------------------------------------------------------


_Place = Tuple[Any, Any, Tuple[int, int], str]  # a node, its parent, its statement's lines, the function it is in


def _visit(tree: ast.AST) -> Iterator[_Place]:
    """Every node that may be changed."""
    yield from _walk(tree, (1, 1), "")


def _walk(node: Any, span: Tuple[int, int], function: str) -> Iterator[_Place]:
    for child in _children(node):
        child_span = _span(child) or span
        name = getattr(node, "name", function or "lambda")
        inside = name if isinstance(node, _FUNCTIONS) and _is_body(node, child) else function
        child.is_made = inside in _CONSTRUCTORS
        yield child, node, child_span, inside
        yield from _walk(child, child_span, inside)


def _is_body(function: Any, child: ast.AST) -> bool:
    return child is function.body if isinstance(function, ast.Lambda) else child in function.body


def _span(node: ast.AST) -> Optional[Tuple[int, int]]:
    """The lines of a statement; of a compound one, those of its head."""
    if isinstance(node, (ast.If, ast.While)):
        return node.lineno, node.test.end_lineno or node.lineno
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return node.lineno, node.iter.end_lineno or node.lineno
    if isinstance(node, ast.stmt) and not hasattr(node, "body"):
        return node.lineno, node.end_lineno or node.lineno
    if isinstance(node, ast.stmt):
        return node.lineno, node.lineno
    return None


def _children(node: ast.AST) -> Iterator[Any]:
    """What may be changed below a node."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_comment", "format_spec"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_left_alone(child):
                yield child


def _is_left_alone(node: ast.AST) -> bool:
    if isinstance(node, (ast.Raise, ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)):
        return True
    if isinstance(node, ast.FunctionDef):
        return node.name in _TEXTS
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return isinstance(node.func.value, ast.Name) and node.func.value.id in _LOGGERS
    if isinstance(node, ast.Expr):
        value = node.value
        return isinstance(value, ast.Constant) or _is_left_alone(value)
    return isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "__slots__" for target in node.targets
    )


# what is done to them -------------------------------------------------------------------------------------------------


def _edits(node: Any) -> List[_Edit]:
    """All that can be done to a node itself."""
    found = _EDITS.get(type(node))
    return found(node) if found else []


def _compare(node: ast.Compare) -> List[_Edit]:
    def change(place: int) -> _Edit:
        def edit(node: Any) -> None:
            node.ops[place] = _COMPARISONS[type(node.ops[place])]()

        return edit

    return [change(place) for place in range(len(node.ops))]


def _set(name: str, value: Any) -> _Edit:
    def edit(node: Any) -> None:
        setattr(node, name, value)

    return edit


def _arithmetic(node: Any) -> List[_Edit]:
    is_text = isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mod, ast.Add)) and any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, (str, bytes)))
        for side in (node.left, node.right)
    )
    new = _ARITHMETIC.get(type(node.op))
    return [_set("op", new())] if new and not is_text else []


def _boolean(node: ast.BoolOp) -> List[_Edit]:
    return [_set("op", ast.Or() if isinstance(node.op, ast.And) else ast.And())]


def _unary(node: ast.UnaryOp) -> List[_Edit]:
    return [lambda node: node.operand] if isinstance(node.op, ast.Not) else []


def _constant(node: ast.Constant) -> List[_Edit]:
    value = node.value
    if isinstance(value, bool):
        return [_set("value", not value)]
    if isinstance(value, (int, float)):
        return [_set("value", value + 1), _set("value", value - 1)]
    return []


def _condition(node: Any) -> List[_Edit]:
    test = node.test
    if isinstance(test, (ast.Compare, ast.BoolOp, ast.Constant)):
        return []  # has changes of its own
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return []

    def edit(node: Any) -> None:
        node.test = ast.UnaryOp(op=ast.Not(), operand=node.test)

    return [edit]


def _statement(node: ast.Expr) -> List[_Edit]:
    return [lambda node: ast.copy_location(ast.Pass(), node)] if isinstance(node.value, ast.Call) else []


def _assignment(node: Any) -> List[_Edit]:
    """What a constructor sets is missed wherever it is read; elsewhere an attribute may keep what it was."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if node.is_made or not all(isinstance(target, (ast.Attribute, ast.Subscript)) for target in targets):
        return []
    return [lambda node: ast.copy_location(ast.Pass(), node)]


def _return(node: ast.Return) -> List[_Edit]:
    value = node.value
    if value is None or (isinstance(value, ast.Constant) and not value.value):
        return []  # nothing that is asked whether it is true would notice
    return [_set("value", ast.Constant(value=None))]


def _slice(node: ast.Slice) -> List[_Edit]:
    def change(name: str) -> _Edit:
        def edit(node: Any) -> None:
            setattr(node, name, ast.BinOp(left=getattr(node, name), op=ast.Add(), right=ast.Constant(value=1)))

        return edit

    bounds = {"lower": node.lower, "upper": node.upper}
    return [change(name) for name, bound in bounds.items() if bound and not isinstance(bound, ast.Constant)]


def _call(node: ast.Call) -> List[_Edit]:
    if isinstance(node.func, ast.Name) and node.func.id in _CALLED:
        return [_set("func", ast.Name(id=_CALLED[node.func.id], ctx=ast.Load()))]
    return []


def _jump(node: Any) -> List[_Edit]:
    new = ast.Continue() if isinstance(node, ast.Break) else ast.Break()
    return [lambda node: ast.copy_location(new, node)]


_EDITS: Dict[type, Callable[[Any], List[_Edit]]] = {
    ast.Compare: _compare,
    ast.BinOp: _arithmetic,
    ast.AugAssign: lambda node: _arithmetic(node) + _assignment(node),
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.If: _condition,
    ast.While: _condition,
    ast.IfExp: _condition,
    ast.Expr: _statement,
    ast.Assign: _assignment,
    ast.Return: _return,
    ast.Slice: _slice,
    ast.Call: _call,
    ast.Break: _jump,
    ast.Continue: _jump,
}

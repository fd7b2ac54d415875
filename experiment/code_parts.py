"""The parts of a source file: definitions, imports, and what happens when it is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

Import = tuple[str, str]
"""("a.b", "") for `import a.b`, ("a.b", "c") for `from a.b import c`."""
_NOT_CODE = {"__all__", "__author__", "__version__"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass
class Part:
    """A statement at the top of a file.

    Args:
        bound: the name that a definition or an import gives; "" for any other statement.
        is_import: it is an import.
        text: its syntax tree, without comments, docstrings and what only type checkers read.
        names: names that it uses.
        annotating: names in annotations, which nothing that makes a result evaluates; but for those
            of the fields of a class with a base, which may make its parts (diffusers' do).
        strings: its strings, with "*" for the holes of f-strings.
        imports: (name that it gives, what it imports), at any depth.
    """

    bound: str = ""
    is_import: bool = False
    text: str = ""
    names: set[str] = field(default_factory=set)
    annotating: set[str] = field(default_factory=set)
    strings: set[str] = field(default_factory=set)
    imports: list[tuple[str, Import]] = field(default_factory=list)


def parts_of(source: bytes, package: Sequence[str]) -> list[Part]:
    """The parts of a source file, in order.

    Args:
        source: Python.
        package: of the module, as a path: what relative imports start from.
    """
    found = []
    tree = ast.parse(source)
    has_registry = any(
        isinstance(node, ast.ImportFrom) and (node.module or "").endswith("core.registry")
        for node in ast.walk(tree)
    )
    for statement in _split(_without_prose(tree.body)):
        part = Part()
        if isinstance(statement, _DEFINITIONS):
            part.bound = statement.name
        reader = _Reader(part, package, has_registry)
        reader.read(statement, part.names, local=True)
        part.text = "".join(reader.pieces)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            part.is_import, part.bound = True, part.imports[0][0]
        found.append(part)
    return found


class _Reader:
    """One walk over a statement, which takes down all that is asked of it."""

    def __init__(self, part: Part, package: Sequence[str], has_registry: bool) -> None:
        self.part, self._package, self._has_registry = part, package, has_registry
        self.pieces: list[str] = []

    def read(self, node: object, names: set[str], local: bool) -> None:
        """A node of the tree, or a value in it.

        Args:
            names: where the names in it go.
            local: it is where annotations tell nobody anything.
        """
        if not isinstance(node, ast.AST):
            self.pieces.append(f"{node!r},")
            return
        self._take(node, names)
        if isinstance(node, ast.ClassDef):
            local = not node.bases
        elif isinstance(node, _FUNCTIONS):
            local = True
        is_registry = (
            self._has_registry
            and isinstance(node, ast.Call)
            and getattr(node.func, "id", "") == "Registry"
        )
        self.pieces.append(f"{type(node).__name__}(")
        for name in node._fields:
            value: object = getattr(node, name, None)
            if name == "args" and is_registry and isinstance(value, list):
                value = value[:1]  # its entries stand for every choice there is
            tells = name == "annotation" and not local and isinstance(node, ast.AnnAssign)
            aside = name in ("annotation", "returns") and not tells
            within = self.part.annotating if aside else names
            if isinstance(value, list):
                self.pieces.append("[")
                for inner in _without_prose(value) if name in _BODIES else value:
                    self.read(inner, within, local)
                self.pieces.append("],")
            else:
                self.read(value, within, local)
        self.pieces.append("),")

    def _take(self, node: ast.AST, names: set[str]) -> None:
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                self.part.strings.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            self.part.strings.add("".join(map(_pattern, node.values)))
        elif isinstance(node, ast.Import):
            self.part.imports += [
                (_given(alias), (name, "")) for alias in node.names for name in _bound_by(alias)
            ]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                above = self._package[: len(self._package) - node.level + 1]
                module = ".".join([*above, *filter(None, [module])])
            self.part.imports += [(_given(alias), (module, alias.name)) for alias in node.names]


_BODIES = {"body", "orelse", "finalbody"}


def _without_prose(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """A block without its docstrings, and without what no result can hang on."""
    for statement in statements:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # a docstring, of whatever, or an ellipsis
        if isinstance(statement, ast.Assign):
            names = [t.id for t in statement.targets if isinstance(t, ast.Name)]
            if len(names) == len(statement.targets) and _NOT_CODE.issuperset(names):
                continue
        if isinstance(statement, ast.If):
            test = statement.test
            if "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", "")):
                yield from _without_prose(statement.orelse)
                continue
        yield statement


def _split(statements: Iterator[ast.stmt]) -> Iterator[ast.stmt]:
    """Imports of several names as several imports."""
    for statement in statements:
        if isinstance(statement, ast.Import):
            yield from (ast.Import(names=[alias]) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                yield ast.ImportFrom(statement.module, [alias], statement.level)
        else:
            yield statement


def _pattern(part: ast.expr) -> str:
    """A piece of an f-string as a piece of a glob."""
    return str(part.value) if isinstance(part, ast.Constant) else "*"


def _bound_by(alias: ast.alias) -> list[str]:
    """`import a.b` gives `a`, whole; `import a.b as c` gives that module alone."""
    path = alias.name.split(".")
    return [alias.name] if alias.asname else [".".join(path[:n]) for n in range(len(path), 0, -1)]


def _given(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]

"""One source file as results see it: its syntax tree, what it imports, which files it names."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trimix.core.errors import MissingError
from trimix.experiment.code_files import named_files

Import = tuple[str, str]
"""("a.b", "") for `import a.b`, ("a.b", "c") for `from a.b import c`."""
IMPORTED = "__init__"
"""The part of a module that runs when it is imported."""
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_NOT_CODE = {"__all__", "__author__", "__version__"}
_MAIN = ("__main__", "__mp_main__")


@dataclass(frozen=True)
class View:
    """What counts of a module.

    Args:
        digest: of the syntax trees, without comments and docstrings.
        imports: what is followed from here.
        files: name -> file that a string of the code names.
    """

    digest: str
    imports: frozenset[Import]
    files: Mapping[str, Path]


@dataclass(frozen=True)
class Module:
    """A source file, parsed; what is no code is left out of its body."""

    name: str
    path: Path
    body: Sequence[ast.stmt]
    _views: dict[str, View] = field(default_factory=dict)

    def view(self, part: str = "") -> View:
        """Of the whole module, or of one definition with all that it uses here.

        Raises:
            MissingError: there is no such definition.
        """
        if part not in self._views:
            self._views[part] = self._seen(self._used_by(part) if part else self.body)
        return self._views[part]

    def _seen(self, statements: Sequence[ast.stmt]) -> View:
        state = hashlib.blake2b(digest_size=16)
        names: set[str] = set()
        annotations: set[str] = set()
        texts: set[str] = set()
        imports: list[tuple[str, Import]] = []
        for statement in statements:
            state.update(ast.dump(statement, annotate_fields=False).encode())
            for node, annotates in _walk(statement):
                if isinstance(node, ast.Name):
                    (annotations if annotates else names).add(node.id)
                elif isinstance(node, ast.Constant):
                    if isinstance(node.value, str):
                        texts.add(node.value)
                elif isinstance(node, ast.JoinedStr):
                    texts.add("".join(map(_pattern, node.values)))
                elif isinstance(node, _IMPORTS):
                    imports += self._imported(node)
        # A name that only annotates arguments is imported for type checkers.
        only = annotations - names
        followed = frozenset(target for bound, target in imports if bound not in only)
        return View(state.hexdigest(), followed, named_files(texts, self.path))

    def _used_by(self, part: str) -> list[ast.stmt]:
        """A definition, what it uses of this module, and what an import of that does."""
        definitions: dict[str, ast.stmt] = {}
        kept: list[ast.stmt] = []
        for statement in self.body:
            if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
                definitions[statement.name] = statement
            elif isinstance(statement, _IMPORTS):
                for alias in statement.names:
                    definitions[_bound(alias)] = _only(statement, alias)
            else:
                kept.append(statement)
        used: dict[str, ast.stmt] = {}
        todo = [n for s in kept for n in _names(s)]
        if part == IMPORTED:
            todo += [name for name, s in definitions.items() if isinstance(s, _IMPORTS)]
        elif (first := part.partition(".")[0]) in definitions:
            todo.append(first)
        else:
            raise MissingError(f"{part!r} is not defined", where=str(self.path))
        while todo:
            name = todo.pop()
            if name in definitions and name not in used:
                used[name] = definitions[name]
                todo += _names(used[name])
        return [*kept, *(used[name] for name in definitions if name in used)]

    def _imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Import]]:
        """(name that it binds, what it imports) of each part of an import."""
        for alias in node.names:
            if isinstance(node, ast.Import):
                yield _bound(alias), (alias.name, "")
            else:
                yield _bound(alias), (self._absolute(node), alias.name)

    def _absolute(self, node: ast.ImportFrom) -> str:
        """The module of `from ... import`, with leading dots resolved."""
        if not node.level:
            return node.module or ""
        up = node.level - (self.path.name == "__init__.py")
        parts = self.name.split(".")
        return ".".join([*parts[: len(parts) - up], *filter(None, [node.module])])


def find(name: str) -> Module | None:
    """The module with this name; None if it is no Python source or there is none.

    Files are read again when they changed.
    """
    path = _locate(name)
    if path is None:
        return None
    stat = path.stat()
    stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    if path not in _parsed or _parsed[path][0] != stamp:
        # As Python's own import would: the file says its encoding itself.
        tree = _WithoutProse().visit(ast.parse(path.read_bytes(), str(path)))
        _parsed[path] = (stamp, Module(_true_name(name), path, tree.body))
    return _parsed[path][1]


_parsed: dict[Path, tuple[tuple[int, ...], Module]] = {}


def followed(target: Import) -> tuple[list[str], str]:
    """Where an import leads: (modules whose code is followed, or else the library's name)."""
    name, attribute = target
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names:
        return [], ""
    if not is_followed(top):
        return [], top
    inner = f"{name}.{attribute}"
    return [name, inner] if attribute and _locate(inner) else [name], ""


def is_followed(top: str) -> bool:
    """Whether a top-level package is known by its code: trimix, and what is not installed."""
    if top == "trimix" or top in _MAIN:
        return True
    spec = importlib.util.find_spec(top)
    places = [*(spec.submodule_search_locations or []), spec.origin or ""] if spec else [""]
    outside = {"site-packages", "dist-packages"}
    return not any(outside.intersection(Path(p).parts) for p in places) and any(
        p.endswith(".py") or Path(p).is_dir() for p in places if p
    )


def _locate(name: str) -> Path | None:
    """The source file of a module, without importing anything."""
    top, *rest = name.split(".")
    if top in _MAIN:
        main = getattr(sys.modules["__main__"], "__file__", None)
        return Path(main).resolve() if main else None
    spec = importlib.util.find_spec(top)
    if spec is None:
        return None
    folders = [Path(p) for p in spec.submodule_search_locations or []]
    path = Path(spec.origin) if spec.origin else None
    for part in rest:
        found = [f / part / "__init__.py" for f in folders] + [f / f"{part}.py" for f in folders]
        path = next((p for p in found if p.is_file()), None)
        folders = [f / part for f in folders if (f / part).is_dir()]
    return path.resolve() if path and path.suffix == ".py" else None


def _true_name(name: str) -> str:
    return _MAIN[0] if name in _MAIN else name


class _WithoutProse(ast.NodeTransformer):
    """Leaves out what no result can hang on."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """A string that stands alone is a docstring, of whatever."""
        prose = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if prose else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        """What only type checkers read."""
        self.generic_visit(node)
        test = node.test
        name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
        return node.orelse if name == "TYPE_CHECKING" else node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        """What the package says of itself."""
        (first, *_) = node.targets
        told = isinstance(first, ast.Name) and first.id in _NOT_CODE
        return None if told else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A registry's entries."""
        if isinstance(node.func, ast.Name) and node.func.id == "Registry":
            node.args = node.args[:1]
        return self.generic_visit(node)


def _walk(statement: ast.stmt) -> Iterator[tuple[ast.AST, bool]]:
    """(node, whether it only annotates): fields of classes count, arguments and locals don't."""
    todo: list[tuple[ast.AST, bool, bool]] = [(statement, False, False)]
    while todo:
        node, annotates, local = todo.pop()
        yield node, annotates
        local = not isinstance(node, ast.ClassDef) and (local or isinstance(node, _FUNCTIONS))
        for name, value in ast.iter_fields(node):
            aside = name == "returns" or (
                name == "annotation" and (local or isinstance(node, ast.arg))
            )
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    todo.append((child, annotates or aside, local))


def _names(statement: ast.stmt) -> list[str]:
    return [n.id for n, annotates in _walk(statement) if isinstance(n, ast.Name) and not annotates]


def _pattern(part: ast.expr) -> str:
    """A piece of an f-string as a piece of a glob."""
    return str(part.value) if isinstance(part, ast.Constant) else "*"


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _only(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
    """One part of an import as a statement of its own."""
    if isinstance(node, ast.Import):
        return ast.Import(names=[alias])
    return ast.ImportFrom(module=node.module, names=[alias], level=node.level)

"""The inverse of an export: expressions that give the live data in the form in which its file was read."""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterable
from functools import cached_property

from magic_ext.frontend.live.paths import real_path
from magic_ext.references.attach import Binding

__all__ = ["Export", "arguments_of", "copied", "native"]

# Arguments that only say how the text is to be read, or only how fast: they change nothing of what comes out.
_NEUTRAL = frozenset(
    {"cache_dates", "encoding", "encoding_errors", "engine", "float_precision", "infer_datetime_format", "low_memory"}
    | {"memory_map", "on_bad_lines", "error_bad_lines", "warn_bad_lines", "skip_blank_lines"}
    | {"infer_schema_length", "rechunk", "use_pyarrow", "verbose", "ignore_errors", "batch_size", "n_threads"}
)
_DEFAULTS = {
    "sep": {"','", "None"},
    "delimiter": {"','", "None"},
    "separator": {"','"},
    "header": {"0", "'infer'"},
    "has_header": {"True"},
    "decimal": {"'.'"},
    "quotechar": {"'\"'"},
    "quote_char": {"'\"'"},
    "doublequote": {"True"},
    "compression": {"None", "'infer'"},
    "dayfirst": {"False"},
    "parse_dates": {"False", "None"},
    "index_col": {"None"},
    "na_filter": {"True"},
    "keep_default_na": {"True"},
    "thousands": {"None"},
}
_SELF_WRITTEN = (".map(int,", ".map(complex,", ".map(decimal.Decimal,", ".dt.date")  # their text is what str() gives
_FRESH = (".to_pandas()", ".collect()", ".compute()", ".toPandas()", ".df()", ".execute()", ".to_df()")


class Export:
    """What was sent of a table, and how its live data take that form again."""

    def __init__(self, binding: Binding) -> None:
        self.binding = binding
        self._call, self._steps = _unwound(self._load)

    @property
    def known(self) -> bool:
        """Whether the form is known: of what never was a file nothing is."""
        return self.binding.sheet is not None or self.path is not None

    @cached_property
    def arguments(self) -> dict[str, str]:
        """The arguments with which the file is read as it is meant to be, those that change something."""
        return arguments_of(self._call.keywords) if self._call else {}

    @property
    def steps(self) -> tuple[str, ...]:
        """The calls that give the frame its index and labels back, innermost first."""
        return self._steps

    @property
    def path(self) -> ast.Call | None:
        """The call that reads the user's own file, if the table is one."""
        return real_path(self.binding)

    @property
    def live(self) -> str:
        """The live data as they are, never the user's own object."""
        return copied(self.binding.expression)

    @property
    def flat(self) -> str:
        """The live data with the columns of the file: levels of the index are columns, labels are text."""
        live = self.binding.expression
        if self.path is not None and self.binding.sheet is None:
            return live
        index = [column for column in self.binding.columns if column.index]
        data = [column for column in self.binding.columns if not column.index]
        headers = self.headers
        flat = live
        if index:
            names = headers[: len(index)]
            same = all(column.label == name for column, name in zip(index, names, strict=True))
            flat += ".reset_index()" if same else f".reset_index(names={names!r})"
        labels = [column.label for column in data]
        if labels != headers[len(index) :]:
            flat += f'.set_axis({headers!r}, axis="columns")'
        return flat

    @cached_property
    def headers(self) -> list[str]:
        """The names in the file's first line."""
        sheet = self.binding.sheet
        return next(csv.reader([sheet.header], delimiter=self.delimiter), []) if sheet else []

    @cached_property
    def delimiter(self) -> str:
        """What stands between two cells."""
        return str(ast.literal_eval(self.arguments.get("sep", "','")))

    @property
    def text(self) -> str:
        """The source of the file's text with all rows of the live data; ``""`` where pandas would write another one."""
        if self._whole_file:
            return f"{self.opened}.read()"
        if self.path is None and (self.binding.rows, self.binding.rows_sent, self.binding.sheet) == (None, None, None):
            return _value_text(self.binding)
        kept = [_written(step) for step in self.steps if step.startswith("assign(")]
        if self.binding.sheet is None or None in kept or self.arguments.keys() & {"thousands", "date_format"}:
            return ""
        written = "".join(step for step in kept if step)
        given = "".join(f", {name}={self.arguments[name]}" for name in ("sep", "decimal") if name in self.arguments)
        return f"{_bracketed(self.flat)}{written}.to_csv(index=False{given})"

    @property
    def opened(self) -> str:
        """The source of an open text file with that text."""
        if self.path is not None and self._whole_file:
            encoding = next((keyword.value for keyword in self.path.keywords if keyword.arg == "encoding"), None)
            given = ast.unparse(encoding) if encoding else "'utf-8'"
            return f"open({ast.unparse(self.path.args[0])}, encoding={given}, newline='')"
        return f"io.StringIO({self.text})" if self.text else ""

    @property
    def place(self) -> str:
        """The source of the path of the user's own file, where any reader can take it as it is."""
        if self.path is None or not self._whole_file or "encoding" in {keyword.arg for keyword in self.path.keywords}:
            return ""
        return ast.unparse(self.path.args[0])

    @property
    def _whole_file(self) -> bool:
        """Whether the user's own file has the very text that the code saw, or more rows of it."""
        if self.path is None or not isinstance(ast_of(self.binding.expression), ast.Call):
            return False
        return not {"header", "skiprows"} & {keyword.arg for keyword in self.path.keywords}

    @property
    def _load(self) -> str:
        if self.binding.sheet is not None:
            return self.binding.sheet.expression("FILE")
        return self.binding.expression


def arguments_of(keywords: Iterable[ast.keyword]) -> dict[str, str]:
    """The arguments of a read call that change what comes out, each as source in one spelling.

    >>> call = ast.parse('f(low_memory=False, sep=",", parse_dates=["b", "a"])', mode="eval").body
    >>> arguments_of(call.keywords)
    {'parse_dates': "['a', 'b']"}
    """
    given: dict[str, str] = {}
    for keyword in keywords:
        source = ast.unparse(keyword.value)
        if keyword.arg in _NEUTRAL or source in _DEFAULTS.get(keyword.arg or "", ()):
            continue
        name = {"delimiter": "sep", "separator": "sep"}.get(keyword.arg or "", keyword.arg or "**")
        if name == "parse_dates" and isinstance(keyword.value, ast.List):
            source = f"[{', '.join(sorted(map(ast.unparse, keyword.value.elts)))}]"
        if name == "dtype" and isinstance(keyword.value, ast.Dict):
            parts = zip(keyword.value.keys, keyword.value.values, strict=True)
            source = f"{{{', '.join(sorted(f'{_source(key)}: {_source(value)}' for key, value in parts))}}}"
        given[name] = source
    return given


def copied(expression: str) -> str:
    """The expression with a copy, where it does not make a frame of its own already.

    >>> copied("sales"), copied("sales.to_pandas()"), copied("revenue.to_frame()")
    ('sales.copy()', 'sales.to_pandas()', 'revenue.to_frame().copy()')
    """
    node = ast.parse(expression, mode="eval").body
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_prefix":
        node = node.func.value
    made = isinstance(node, ast.Call) and ast.unparse(node.func) in {"pd.DataFrame", "pd.read_csv", "pd.read_sql_query"}
    if made or expression.endswith((*_FRESH, ".copy()")) or ".reset_index(" in expression or ".set_axis(" in expression:
        return expression
    return f"{_bracketed(expression)}.copy()"


def native(binding: Binding) -> str:
    """The expression for a polars frame of the user's as it is; ``""`` for any other thing."""
    return binding.expression.removesuffix(".to_pandas()") if binding.kind.startswith("polars") else ""


def ast_of(expression: str) -> ast.expr:
    """The syntax tree of an expression."""
    return ast.parse(expression, mode="eval").body


def _unwound(load: str) -> tuple[ast.Call | None, tuple[str, ...]]:
    """The innermost call of a load expression and, as source, the steps behind it."""
    node: ast.expr = ast_of(load)
    steps: list[str] = []
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr != "read_csv":
        steps.append(step_of(node))
        node = node.func.value
    is_read = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return (node if is_read and isinstance(node, ast.Call) else None), tuple(reversed(steps))


def step_of(call: ast.Call) -> str:
    """One step of a chain as source, without what it is called on."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    return name + ast.unparse(ast.Call(ast.Name(""), call.args, call.keywords))


def _written(step: str) -> str | None:
    """The step that undoes one of the export, so that values are written as it wrote them; ``None`` for none known.

    >>> _written("assign(**{'n': lambda d: d['n'].map(int, na_action='ignore')})")
    ''
    """
    made = ast_of(f"x.{step}")
    columns = made.keywords[0].value if isinstance(made, ast.Call) else None
    if not isinstance(columns, ast.Dict):
        return None
    parts = []
    for key, value in zip(columns.keys, columns.values, strict=True):
        name, source = _source(key), ast.unparse(value)
        if "utc=True" in source:
            parts.append(f"{name}: lambda d: d[{name}].dt.tz_convert('UTC')")
        elif "json.loads" in source:
            parts.append(f"{name}: lambda d: d[{name}].map(json.dumps, na_action='ignore')")
        elif not any(plain in source for plain in _SELF_WRITTEN):
            return None
    return f".assign(**{{{', '.join(parts)}}})" if parts else ""


def _value_text(binding: Binding) -> str:
    """The text of a plain value: itself, or JSON."""
    if not binding.kind:
        return ""
    if binding.kind == "text":
        return binding.expression
    plain = binding.kind.startswith(("dict", "list"))
    return f"json.dumps({binding.expression if plain else f'list({binding.expression})'}, default=str)"


def _bracketed(expression: str) -> str:
    simple = isinstance(ast_of(expression), ast.Name | ast.Attribute | ast.Subscript | ast.Call)
    return expression if simple else f"({expression})"


def _source(node: ast.expr | None) -> str:
    return ast.unparse(node) if node is not None else "**"

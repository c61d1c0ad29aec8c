"""Whether code may change an object that it is given: followed by name, in doubt yes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from magic_ext.frontend.needed import CHANGING

__all__ = ["may_change"]

# Methods and functions that give something new, which may be changed freely (pandas, polars, NumPy, the language).
_FRESH = frozenset(
    {"abs", "agg", "aggregate", "all", "any", "apply", "argmax", "argmin", "assign", "astype", "bfill", "bool", "clip"}
    | {"collect", "combine_first", "concat", "copy", "corr", "count", "cov", "crosstab", "cummax", "cumprod", "cumsum"}
    | {"cut", "deepcopy", "describe", "diff", "dropna", "drop_duplicates", "duplicated", "dt_floor", "eq", "explode"}
    | {
        "ffill",
        "fillna",
        "filter_",
        "first",
        "float",
        "format",
        "get_dummies",
        "groupby",
        "group_by",
        "idxmax",
        "idxmin",
    }
    | {"int", "interpolate", "isin", "isna", "isnull", "join", "last", "len", "map", "max", "mean", "median", "melt"}
    | {"merge", "min", "mode", "nlargest", "notna", "notnull", "nsmallest", "nunique", "pct_change", "pivot"}
    | {"pivot_table", "plot", "prod", "qcut", "quantile", "query", "range", "rank", "replace", "resample", "rolling"}
    | {"round", "sample", "select_dtypes", "sem", "shift", "size", "skew", "sort_index", "sort_values", "std"}
    | {"str", "strftime", "sum", "to_csv", "to_datetime", "to_dict", "to_markdown", "to_numeric", "to_string", "tolist"}
    | {"to_list", "to_json", "unique", "unstack", "stack", "value_counts", "var", "where", "mask", "with_columns"}
    | {"reset_index", "set_index", "rename", "drop", "to_pandas", "clone", "array", "zscore", "ewm", "print", "type"}
)
_CHANGING = CHANGING | frozenset(
    {"drop_in_place", "fill", "insert_column", "itemset", "partition", "put", "replace_column", "resize", "setfield"}
    | {"__setitem__", "__delitem__", "__setattr__", "copyto", "fill_diagonal", "heapify", "heappush", "heappop"}
    | {"setflags", "shuffle", "isetitem", "popitem", "reverse", "discard", "rechunk", "extend_constant", "eval", "exec"}
)


def may_change(trees: Sequence[ast.Module], name: str) -> bool:
    """Whether the blocks may change in place what ``name`` holds, by that name, another one, or in a function.

    >>> may_change([ast.parse("df = sales; df['x'] = 1")], "sales")
    True
    >>> may_change([ast.parse("total = sales.groupby('city').sum(); total['x'] = 1")], "sales")
    False
    """
    nodes = [node for tree in trees for node in ast.walk(tree)]
    functions = {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}
    holders = {name}
    while True:
        more = {bound for node in nodes for bound in _handed_on(node, holders, functions)} - holders
        if not more:
            break
        holders |= more
    return any(_holds(target, holders) for node in nodes for target in _changed(node))


def _handed_on(node: ast.AST, holders: set[str], functions: Mapping[str, ast.FunctionDef]) -> Iterator[str]:
    """Names that hold, after this, what one of the ``holders`` holds, or a part of it."""
    match node:
        case ast.Assign(targets=targets, value=value) if _holds(value, holders):
            for target in targets:
                yield from _names(target)
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
            if _holds(value, holders):
                yield from _names(target)
        case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
            if _holds(value, holders):
                yield from _names(target)
        case ast.withitem(context_expr=value, optional_vars=ast.expr() as target) if _holds(value, holders):
            yield from _names(target)
        case ast.Call(func=ast.Name(id=called)) | ast.Call(args=[ast.Name(id=called), *_]) if called in functions:
            owner = [node.func.value] if isinstance(node.func, ast.Attribute) else []
            if any(_holds(value, holders) for value in [*node.args, *owner, *(k.value for k in node.keywords)]):
                yield from (arg.arg for arg in ast.walk(functions[called].args) if isinstance(arg, ast.arg))


def _holds(value: ast.expr, holders: set[str]) -> bool:
    """Whether the value may be what a holder holds, or a view of it."""
    match value:
        case ast.Name(id=name):
            return name in holders
        case ast.Call(func=function, args=args, keywords=keywords):
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name in _FRESH:
                return False
            inside = [*args, *(keyword.value for keyword in keywords)]
            inside += [function.value] if isinstance(function, ast.Attribute) else []
            return any(_holds(part, holders) for part in inside)
        case ast.BinOp() | ast.Compare() | ast.UnaryOp() | ast.JoinedStr() | ast.Constant() | ast.Lambda():
            return False
        case ast.Subscript(value=owner) | ast.Attribute(value=owner) | ast.Starred(value=owner):
            return _holds(owner, holders)
        case _:
            return any(_holds(part, holders) for part in ast.iter_child_nodes(value) if isinstance(part, ast.expr))


def _changed(node: ast.AST) -> Iterator[ast.expr]:
    """What a statement changes in place."""
    match node:
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            for target in targets:
                parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
                yield from (part for part in parts if isinstance(part, ast.Subscript | ast.Attribute))
        case ast.AugAssign(target=target):
            yield target
        case (
            ast.AnnAssign(target=ast.Subscript() | ast.Attribute() as target)
            | ast.For(target=ast.Subscript() | ast.Attribute() as target)
        ):
            yield target
        case ast.Call(func=ast.Attribute(value=owner, attr=method), args=args, keywords=keywords):
            in_place = any(k.arg in {"inplace", "in_place", "out"} for k in keywords)
            if method in _CHANGING or in_place:
                yield owner
                yield from args[:1]  # random.shuffle(rows), np.copyto(array, 0)
                yield from (keyword.value for keyword in keywords if keyword.arg == "out")
        case ast.Call(func=ast.Name(id="setattr" | "delattr" | "exec" | "eval"), args=[first, *_]):
            yield first


def _names(target: ast.expr) -> Iterator[str]:
    return (node.id for node in ast.walk(target) if isinstance(node, ast.Name))

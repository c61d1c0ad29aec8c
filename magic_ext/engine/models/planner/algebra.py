"""Formulas for sympy: equations, derivatives, integrals, limits, sums; checked to be formulas before they are code."""

from __future__ import annotations

import ast
import re

__all__ = ["symbolic"]

_FUNCTIONS = {"sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "log", "sqrt"}
_NAMES = {"ln": "log", "pi": "pi", "infinity": "oo", "inf": "oo", "∞": "oo"}
_MOST_POWER = 20
_PLEASE = (
    r"^\s*(?:please\s+)?(?:(?:can|could)\s+you\s+)?"
    r"(?:(?:what(?:'s|\s+is|\s+are)|calculate|compute|find|give\s+me|show(?:\s+me)?|determine|evaluate)\s+)?(?:the\s+)?"
)
_END = r"\s*[?.]?\s*$"
_WITH = r"(?:\s+(?:with\s+respect\s+to|w\.?r\.?t\.?|by|for|in)\s+(?P<name>[a-z])|\s+d(?P<dname>[a-z]))?"


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(_PLEASE + pattern + _END, re.IGNORECASE)


_SOLVE = re.compile(
    r"^\s*(?:please\s+)?(?:(?:can|could)\s+you\s+)?(?:solve(?:\s+for\s+(?P<name>[a-z])\s*[:,]?)?|what\s+is\s+(?P<asked>[a-z])\s+(?:if|when|in)"
    r"|find\s+(?P<found>[a-z])\s+(?:if|such\s+that|in|when|for)|(?:find\s+)?(?:the\s+)?(?:solutions?|roots)\s+(?:of|to))"
    r"\s*(?:the\s+)?(?:equations?|systems?(?:\s+of\s+equations)?)?\s*[:]?\s*(?P<equations>.+?)(?:\s+for\s+(?P<last>[a-z](?:\s*(?:,|and)\s*[a-z])*))?"
    + _END,
    re.IGNORECASE,
)
_DERIVATIVE = _rule(
    r"(?:(?P<second>second|2nd)\s+)?(?:derivative\s+of|differentiate|d/d(?P<dname>[a-z])\s+of)\s+(?P<body>.+?)(?:\s+(?:with\s+respect\s+to|w\.?r\.?t\.?|by|for)\s+(?P<name>[a-z]))?"
)
_INTEGRAL = _rule(
    r"(?:(?:definite\s+|indefinite\s+)?integral\s+of|integrate|antiderivative\s+of)\s+(?P<body>.+?)"
    r"(?:\s+d(?P<dname>[a-z])|\s+(?:with\s+respect\s+to|w\.?r\.?t\.?)\s+(?P<name>[a-z]))?"
    r"(?:\s+(?:from|between)\s+(?:[a-z]\s*=\s*)?(?P<low>\S+)\s+(?:to|and)\s+(?P<high>\S+?))?(?:\s+d(?P<last>[a-z]))?"
)
_LIMIT = _rule(
    r"limit\s+of\s+(?P<body>.+?)\s+(?:as|when|for)\s+(?P<name>[a-z])\s+(?:goes\s+to|approaches|tends\s+to|->|→)\s+(?P<low>\S+?)"
)
_SUM = _rule(
    r"(?P<what>sum|product)\s+of\s+(?P<body>.+?)\s+(?:for|over|with)\s+(?P<name>[a-z])\s*(?:from|=)\s*(?P<low>\S+)\s+(?:to|until)\s+(?P<high>\S+?)"
)
_CHANGE = _rule(
    r"(?P<what>expand|simplify|factor|factorize|factorise)\s+(?:the\s+)?(?:expression\s+|polynomial\s+)?(?P<body>.+?)"
)


def symbolic(text: str) -> tuple[str, str] | None:
    """How a question was read and its code, if it asks for what sympy does with a formula.

    >>> print(symbolic("derivative of x^2 sin(x)")[1])
    import sympy as sp
    <BLANKLINE>
    x = sp.symbols("x")
    print(sp.diff(x ** 2 * sp.sin(x), x))
    <BLANKLINE>
    """
    for pattern, answer in (
        (_DERIVATIVE, _derivative), (_INTEGRAL, _integral), (_LIMIT, _limit), (_SUM, _sum), (_CHANGE, _changed),
    ):  # fmt: skip
        if (found := pattern.match(text)) and (said := answer(found)):
            return said
    return _solved(text)


def _derivative(found: re.Match[str]) -> tuple[str, str] | None:
    body, name = _one(found["body"], found["name"] or found["dname"])
    order = 2 if found["second"] else 1
    if body is None:
        return None
    which = "second derivative" if order == 2 else "derivative"
    return f"The {which} of {_plain(body)} by {name}.", _code(
        [name], f"sp.diff({body}, {name}{', 2' if order == 2 else ''})"
    )


def _integral(found: re.Match[str]) -> tuple[str, str] | None:
    body, name = _one(found["body"], found["name"] or found["dname"] or found["last"])
    if body is None:
        return None
    if not found["low"]:
        reading = f"The integral of {_plain(body)} over {name}, without its constant."
        return reading, _code([name], f"sp.integrate({body}, {name})")
    low, high = _formula(found["low"], set()), _formula(found["high"], set())
    if low is None or high is None:
        return None
    reading = f"The integral of {_plain(body)} over {name} from {_plain(low)} to {_plain(high)}."
    return reading, _code([name], f"sp.integrate({body}, ({name}, {low}, {high}))", value=True)


def _limit(found: re.Match[str]) -> tuple[str, str] | None:
    body, name = _one(found["body"], found["name"])
    low = _formula(found["low"], set())
    if body is None or low is None:
        return None
    return f"The limit of {_plain(body)} as {name} goes to {_plain(low)}.", _code(
        [name], f"sp.limit({body}, {name}, {low})"
    )


def _sum(found: re.Match[str]) -> tuple[str, str] | None:
    body, name = _one(found["body"], found["name"])
    low, high = _formula(found["low"], set()), _formula(found["high"], set())
    if body is None or low is None or high is None:
        return None
    what = found["what"].lower()
    reading = f"The {what} of {_plain(body)} for {name} from {_plain(low)} to {_plain(high)}."
    call = "sp.summation" if what == "sum" else "sp.product"
    return reading, _code([name], f"{call}({body}, ({name}, {low}, {high}))", value=True)


def _changed(found: re.Match[str]) -> tuple[str, str] | None:
    names = _letters(found["body"])
    body = _formula(found["body"], names) if names else None
    if body is None:
        return None
    what = found["what"].lower()
    call, said = (
        ("factor", "factored") if what.startswith("factor") else (what, {"expand": "expanded"}.get(what, "simplified"))
    )
    return f"{_plain(body)}, {said}.", _code(sorted(names), f"sp.{call}({body})")


def _solved(text: str) -> tuple[str, str] | None:
    """One equation, or as many as there are unknowns."""
    found = _SOLVE.match(text)
    if not found:
        return None
    equations = [part for part in re.split(r"\s*(?:,|;|\band\b)\s*", found["equations"]) if part]
    names = sorted(set().union(*(_letters(one) for one in equations)))
    wanted = found["name"] or found["asked"] or found["found"] or found["last"]
    unknowns = re.findall(r"[a-z]", wanted.replace("and", "")) if wanted else names
    if not 1 <= len(unknowns) <= 3 or len(equations) != len(unknowns) or not set(unknowns) <= set(names):
        return None
    sides = [[_formula(side, set(names)) for side in one.split("=")] for one in equations]
    if any(len(pair) != 2 or None in pair for pair in sides):
        return None
    equal = [f"sp.Eq({left}, {right})" for left, right in sides]
    said = " and ".join(f"{_plain(str(left))} = {_plain(str(right))}" for left, right in sides)
    one = len(equal) == 1
    call = f"sp.solve({equal[0] if one else '[' + ', '.join(equal) + ']'}, {', '.join(unknowns)})"
    code = f"import sympy as sp\n\n{_symbols(names)}solutions = {call}\nprint(solutions)\n"
    return f"The solutions of {said} for {' and '.join(unknowns)}.", code


# --- formulas -------------------------------------------------------------------------------------------------------


def _one(text: str, wanted: str | None) -> tuple[str | None, str]:
    """The formula of one unknown, and that unknown."""
    names = _letters(text)
    name = wanted.lower() if wanted else next(iter(names), "x")
    return (_formula(text, {name}), name) if len(names) <= 1 and names <= {name} else (None, name)


def _letters(text: str) -> set[str]:
    return {word for word in re.findall(r"[A-Za-z]+", _spelled(text)) if len(word) == 1 and word != "e"}


def _spelled(text: str) -> str:
    text = text.replace("^", "**").replace("−", "-").replace("·", "*").replace("²", "**2").replace("³", "**3")
    text = re.sub(r"\bsquared\b", "**2", re.sub(r"\bcubed\b", "**3", text))
    text = re.sub(r"\b(?:the\s+)?(?:square\s+root|root)\s+of\s+(\w+)", r"sqrt(\1)", text)
    text = re.sub(r"(?<=\d)(?=[a-zA-Z(])|(?<=\))(?=[\w(])", "*", text)
    text = re.sub(r"(?<=[\w)])\s+(?=[\w(])", "*", text)
    return re.sub(r"\b([a-z])(?=\()", r"\1*", text)


def _formula(text: str, names: set[str]) -> str | None:
    """Python source of a formula of ``names``; None for anything else."""
    try:
        tree = ast.parse(_spelled(text).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None
    written = _written(tree, names) if len(text) <= 200 else None
    return ast.unparse(written) if written is not None else None


def _written(node: ast.expr, names: set[str]) -> ast.expr | None:
    """The formula with sympy's names, if it is one and no power in it is out of measure."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool) and abs(value) <= 10**9:
            return node
        case ast.Name(id=name) if name in names:
            return node
        case ast.Name(id=name) if name in _NAMES or name == "e":
            return _attribute("E" if name == "e" else _NAMES[name])
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            inner = _written(operand, names)
            return ast.UnaryOp(sign, inner) if inner is not None else None
        case ast.Call(func=ast.Name(id=function), args=[argument], keywords=[]) if function in {*_FUNCTIONS, "ln"}:
            inner = _written(argument, names)
            return ast.Call(_attribute(_NAMES.get(function, function)), [inner], []) if inner is not None else None
        case ast.BinOp(
            left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow() as operator, right=right
        ):
            first, second = _written(left, names), _written(right, names)
            if first is None or second is None or (isinstance(operator, ast.Pow) and not _moderate(first, second)):
                return None
            if isinstance(operator, ast.Div) and isinstance(first, ast.Constant) and isinstance(second, ast.Constant):
                return ast.Call(_attribute("Rational"), [first, second], []) if _whole(first, second) else None
            return ast.BinOp(first, operator, second)
    return None


def _attribute(name: str) -> ast.expr:
    return ast.Attribute(ast.Name("sp", ast.Load()), name, ast.Load())


def _whole(*constants: ast.Constant) -> bool:
    return all(isinstance(constant.value, int) for constant in constants)


def _moderate(base: ast.expr, power: ast.expr) -> bool:
    powers = [node for node in ast.walk(base) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)]
    constants = [node.value for node in ast.walk(power) if isinstance(node, ast.Constant)]
    stacked = any(isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) for node in ast.walk(power))
    return not stacked and len(powers) <= 1 and all(abs(float(str(value))) <= _MOST_POWER for value in constants)


def _plain(source: str) -> str:
    return (
        re.sub(r"Rational\((\d+), (\d+)\)", r"\1/\2", source.replace("sp.", "")).replace("**", "^").replace(" ^ ", "^")
    )


def _symbols(names: list[str]) -> str:
    return "".join(f'{name} = sp.symbols("{name}")\n' for name in names)


def _code(names: list[str], source: str, *, value: bool = False) -> str:
    head = f"import sympy as sp\n\n{_symbols(names)}"
    if value:
        return f'{head}result = {source}\nprint(result)\nprint("=", sp.N(result, 10))\n'
    return f"{head}print({source})\n"

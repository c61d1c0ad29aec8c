"""Small computations that need no table: primes, Fibonacci, factorials, divisors, sums, arithmetic, one equation."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from ..base import Table
from .algebra import symbolic
from .grammar import Grammar, Reader, TooLong
from .lexicon import ARTICLES
from .schema import Schema
from .tokens import Token, sentences, tokenize

__all__ = ["Computation", "compute"]

MOST = 1_000_000

grammar = Grammar()
rule = grammar.rule
replace = msgspec.structs.replace


class Computation(msgspec.Struct, frozen=True):
    """A computation: how it was read, its code, and how many numbers it goes through (0 where that has no meaning)."""

    reading: str
    code: str
    n: int = 0


_PRIMES = """\
def primes(n):
    \"\"\"The first n prime numbers.\"\"\"
    found = []
    candidate = 2
    while len(found) < n:
        if all(candidate % prime for prime in found if prime * prime <= candidate):
            found.append(candidate)
        candidate += 1
    return found

"""
_FIBONACCI = """\
def fibonacci(n):
    \"\"\"The first n Fibonacci numbers, 1, 1, 2, 3, 5, ...\"\"\"
    numbers = []
    a, b = 1, 1
    for _ in range(n):
        numbers.append(a)
        a, b = b, a + b
    return numbers

"""


@grammar.terminal("whole")
def _whole(reader: Reader, at: int) -> Any:
    if at < len(reader.tokens):
        token = reader.tokens[at]
        ordinal = re.fullmatch(r"(\d+)(st|nd|rd|th)", token.key)
        if token.whole is not None and abs(token.whole) <= MOST:
            yield token.whole, at + 1
        elif ordinal and int(ordinal[1]) <= MOST:
            yield -int(ordinal[1]), at + 1  # an ordinal is told from a number by its sign


grammar.terminal("nth")(lambda reader, at: ((-n, end) for n, end in reader.find("whole", at) if n < 0))
grammar.terminal("n")(lambda reader, at: ((n, end) for n, end in reader.find("whole", at) if n > 0))

_OPENER = (
    "what (is|are)",
    "[(can|could|would) you] (calculate|compute|find|give|show|list|print|tell|determine|write|generate) [me|us]",
    "",
)
for _opening in _OPENER:
    grammar.add("opener", _opening, lambda reader: "")


@rule("ask", "<opener> <thing>")
def _ask(reader: Reader, thing: Computation, **_: Any) -> Computation:
    return thing


@rule("series", "first <n> (primes|prime numbers)", kind="primes")
@rule("series", "first <n> (fibonacci numbers|numbers of fibonacci sequence|fibonacci)", kind="fibonacci")
def _series(reader: Reader, n: int, kind: str) -> tuple[str, int] | None:
    return (kind, n) if n <= (10_000 if kind == "primes" else 1_000) else None


_KINDS = {
    "square": "n**2", "cube": "n**3", "even": "2 * n", "odd": "2 * n - 1", "triangular": "n * (n + 1) // 2",
    "natural": "n", "power": "2**n",
}  # fmt: skip


@rule("listed", "first <n> (squares|square numbers|perfect squares)", kind="square")
@rule("listed", "first <n> (cubes|cube numbers)", kind="cube")
@rule("listed", "first <n> even (numbers|integers)", kind="even")
@rule("listed", "first <n> odd (numbers|integers)", kind="odd")
@rule("listed", "first <n> triangular numbers", kind="triangular")
@rule("listed", "first <n> powers of (2|two)", kind="power")
def _listed(reader: Reader, n: int, kind: str) -> tuple[str, int] | None:
    return (_KINDS[kind], n) if n <= 1_000 else None


@rule("listed", "first <n> multiples of <n:of>")
def _multiples(reader: Reader, n: int, of: int) -> tuple[str, int] | None:
    return (f"{of} * n", n) if n <= 1_000 else None


@rule("thing", "<listed>", summed=False)
@rule("thing", "(sum of|total of) [all] <listed>", summed=True)
def _of_listed(reader: Reader, listed: tuple[str, int], summed: bool) -> Computation:
    formula, n = listed
    start = "from n = 1" if formula != "2**n" else "from n = 0"
    first, last = (1, f"{n} + 1") if formula != "2**n" else (0, str(n))
    code = f"numbers = [{formula} for n in range({first}, {last})]\nprint(numbers)\n"
    code += 'print("Sum:", sum(numbers))\n' if summed else 'print("How many:", len(numbers))\n'
    return Computation(f"The {'sum of the ' if summed else ''}first {n} numbers {formula}, {start} on.", code, n)


@rule("thing", "(sum of|total of) [all] <series>")
def _sum_of_series(reader: Reader, series: tuple[str, int]) -> Computation:
    kind, n = series
    name = "prime" if kind == "primes" else "Fibonacci"
    code = _helper(kind) + f"\nnumbers = {kind}({n})\nprint(numbers)\n"
    code += 'print("How many:", len(numbers))\nprint("Sum:", sum(numbers))\n'
    return Computation(f"The sum of the first {n} {name} numbers.", code, n)


@rule("thing", "<series>")
def _list_of_series(reader: Reader, series: tuple[str, int]) -> Computation:
    kind, n = series
    name = "prime" if kind == "primes" else "Fibonacci"
    code = _helper(kind) + f'\nnumbers = {kind}({n})\nprint(numbers)\nprint("How many:", len(numbers))\n'
    return Computation(f"The first {n} {name} numbers.", code, n)


@rule("thing", "<nth> prime [number]", kind="primes")
@rule("thing", "<nth> fibonacci number", kind="fibonacci")
def _nth_of_series(reader: Reader, nth: int, kind: str) -> Computation | None:
    if not 1 <= nth <= (10_000 if kind == "primes" else 1_000):
        return None
    name = "prime" if kind == "primes" else "Fibonacci"
    note = "" if kind == "primes" else " (counting 1, 1, 2, 3, 5, ...)"
    code = _helper(kind) + f"\nprint({kind}({nth})[-1])\n"
    return Computation(f"The {name} number at place {nth}{note}.", code, nth)


def _helper(kind: str) -> str:
    return _PRIMES if kind == "primes" else _FIBONACCI


@rule("thing", "[all] (primes|prime numbers) (below|under|less than|smaller than) <n>", summed="", counted="")
@rule("thing", "sum of [all] (primes|prime numbers) (below|under|less than|smaller than) <n>", counted="", summed="yes")
@rule(
    "thing",
    "(number of|how many) (primes|prime numbers) [are there] (below|under|less than|smaller than) <n>",
    counted="yes",
    summed="",
)
def _primes_below(reader: Reader, n: int, summed: str, counted: str) -> Computation | None:
    if n > 100_000:
        return None
    what = "How many primes there are" if counted else "The sum of the primes" if summed else "The primes"
    code = f"primes = [n for n in range(2, {n}) if all(n % divisor for divisor in range(2, int(n**0.5) + 1))]\n"
    code += "" if counted or summed else "print(primes)\n"
    code += 'print("Sum:", sum(primes))\n' if summed else 'print("How many:", len(primes))\n'
    return Computation(f"{what} below {n}.", code)


@rule("ask", "is <n> [a] (prime|prime number)")
def _is_prime(reader: Reader, n: int) -> Computation:
    code = f"divisors = [d for d in range(1, {n} + 1) if {n} % d == 0]\n"
    code += f'print({n}, "is prime" if len(divisors) == 2 else "is not prime", "- its divisors:", divisors)\n'
    return Computation(f"Whether {n} is prime.", code)


@rule("thing", "(prime factors|prime factorization|prime factorisation) of <n>")
@rule("ask", "(factorize|factorise|factor) <n>")
def _factors(reader: Reader, n: int, **_: Any) -> Computation | None:
    if n < 2:
        return None
    code = f"n, factors, divisor = {n}, [], 2\nwhile n > 1:\n    while n % divisor == 0:\n"
    code += "        factors.append(divisor)\n        n //= divisor\n    divisor += 1\n"
    return Computation(f"The prime factors of {n}.", code + f'print("{n} =", *factors, sep=" ")\n')


@rule("thing", "factorial of <n>", "<n> factorial", "<n> !")
def _factorial(reader: Reader, n: int) -> Computation | None:
    if n > 1000:
        return None
    return Computation(f"The factorial of {n}.", f"import math\n\nprint(math.factorial({n}))\n", n)


@rule("thing", "(gcd|greatest common divisor|greatest common factor) of <n:a> and <n:b>", name="gcd")
@rule("thing", "(lcm|least common multiple|lowest common multiple) of <n:a> and <n:b>", name="lcm")
def _divisors(reader: Reader, a: int, b: int, name: str) -> Computation:
    what = "greatest common divisor" if name == "gcd" else "least common multiple"
    return Computation(f"The {what} of {a} and {b}.", f"import math\n\nprint(math.{name}({a}, {b}))\n")


@rule("thing", "sum (of|from) <n:a> to <n:b>", step=0)
@rule("thing", "sum of [all] [numbers|integers|whole numbers] from <n:a> to <n:b>", step=0)
@rule("thing", "sum of [all] (numbers|integers|whole numbers) between <n:a> and <n:b>", step=0)
@rule("thing", "sum of [all] even (numbers|integers) from <n:a> to <n:b>", step=2)
@rule("thing", "sum of [all] odd (numbers|integers) from <n:a> to <n:b>", step=1)
def _sum_of_range(reader: Reader, a: int, b: int, step: int) -> Computation | None:
    if a > b:
        return None
    start = a if not step else a + (a % 2 != step % 2)
    numbers = f"range({start}, {b} + 1{', 2' if step else ''})"
    kind = {0: "whole", 1: "odd", 2: "even"}[step]
    return Computation(f"The sum of the {kind} numbers from {a} to {b}, both included.", f"print(sum({numbers}))\n")


@rule("thing", "sum of first <n> (numbers|integers|natural numbers|positive integers)")
def _sum_first(reader: Reader, n: int) -> Computation:
    return Computation(f"The sum of the whole numbers from 1 to {n}.", f"print(sum(range(1, {n} + 1)))\n", n)


@rule(
    "check",
    "[(generate|write) [and] (run|execute) [python] code [for (calculation|computation|it|this)]] [,] [and] <sure>",
)
@rule(
    "check", "(generate|write|use) [and run|and execute] [python] code [for (calculation|computation|it|this)]", sure=0
)
def _check(reader: Reader, sure: int) -> tuple[int]:
    return (sure,)


@rule("sure", "(make sure|ensure) [that] (you get|to get|you have|you use) all <n> [of them]")
def _sure(reader: Reader, n: int) -> int:
    return n


def compute(text: str) -> Computation | None:
    r"""The computation that ``text`` asks for, when every word of it is used.

    >>> compute("What is 17 * 23?").code
    'print(17 * 23)\n'
    >>> compute("What is the sum of my invoices?")
    """
    try:
        return _computed(text)
    except (RecursionError, TooLong):
        return None


def _computed(text: str) -> Computation | None:
    found: Computation | None = None
    for sentence in _sentences(text):
        reader = _reader(sentence, text)
        asked = reader.whole("ask")
        if found is None:
            spoken = text[sentence[0].start : sentence[-1].end]
            found = asked[0] if len(asked) == 1 else _arithmetic(spoken) or _symbols(spoken)
            if found is None:
                return None
            continue
        checks = reader.whole("check")
        if not checks or any(number and number != found.n for (number,) in checks):
            return None
    return found


def _sentences(text: str) -> list[tuple[Token, ...]]:
    # "10!" is a factorial, not the end of a sentence.
    closed = re.sub(r"(\d)!", r"\1 factorial", text)
    return sentences(text, tokenize(text)) if closed == text else sentences(closed, tokenize(closed))


def _reader(sentence: tuple[Token, ...], text: str) -> Reader:
    kept = tuple(token for token in sentence if token.key not in ARTICLES)
    return Reader(grammar, kept, Schema(Table("none", 0, ()), text))


@dataclass(frozen=True)
class _Spoken:
    pattern: str
    symbol: str


_SPOKEN = (
    _Spoken(r"\bto the power of\b|\^|\bto the (?=\d+(st|nd|rd|th)\b)", "**"),
    _Spoken(r"\bmultiplied by\b|\btimes\b|×|·|(?<=\d) x (?=\d)", "*"),
    _Spoken(r"\bdivided by\b|\bover\b|÷", "/"),
    _Spoken(r"\bplus\b", "+"),
    _Spoken(r"\bminus\b|−|–", "-"),
    _Spoken(r"\bsquared\b", "**2"),
    _Spoken(r"\bcubed\b", "**3"),
)
_ASKED = re.compile(
    r"^\s*(please\s+)?(what\s+is|what's|how\s+much\s+is|(can|could)\s+you\s+(calculate|compute)|calculate|compute|evaluate)?\s+",
    re.I,
)
_PERCENT = re.compile(r"^([\d.,]+)\s*(%|percent)\s+of\s+([\d.,]+)$", re.I)
_ROOT = re.compile(r"\b(?:the\s+)?(?:square\s+root|sqrt)(?:\s+of\s+|\s*\(|\s+)([\d.,]+)\)?", re.I)


def _arithmetic(text: str) -> Computation | None:
    said = _ASKED.sub("", " " + text, count=1).strip().rstrip("?=.").strip()
    said = re.sub(r"(?<=\d),(?=\d{3}\b)", "", said)
    percent = _PERCENT.match(said)
    source = f"{percent[1]} / 100 * {percent[3]}" if percent else _ROOT.sub(r"math.sqrt(\1)", said)
    for spoken in _SPOKEN:
        source = re.sub(spoken.pattern, spoken.symbol, source, flags=re.I)
    bare = source.replace("math.sqrt", "")
    date = re.fullmatch(r"\d+-\d+-\d+", source.strip())
    if (
        date
        or not re.fullmatch(r"[\d\s.+*/()-]+", bare)
        or not re.search(r"\d", bare)
        or re.fullmatch(r"[\d\s.]+", source)
    ):
        return None
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return None
    if not _small(tree.body):
        return None
    source = ast.unparse(tree)
    imports = "import math\n\n" if "math." in source else ""
    return Computation(f"The value of {source.replace('math.', '')}.", f"{imports}print({source})\n")


def _small(node: ast.expr) -> bool:
    """Whether an expression has only numbers and operators, and powers that end."""
    match node:
        case ast.Constant(value=int() | float()):
            return True
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _small(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))):
            return power <= 1000 and isinstance(left, ast.Constant) and float(ast.unparse(left)) <= MOST
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.FloorDiv(), right=right):
            return _small(left) and _small(right)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="math"), attr="sqrt"), args=[ast.Constant()], keywords=[]):
            return True
        case _:
            return False


def _symbols(text: str) -> Computation | None:
    found = symbolic(text)
    return Computation(*found) if found else None

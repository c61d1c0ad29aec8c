"""How often the planner is right: questions as strangers ask them, over real and made-up tables.

``prompts/*.txt`` hold one question a line, ``question => expectation | expectation``; `` // `` divides the turns of a
conversation. An expectation is pandas over the frame ``d``, written without the planner, or ``decline``: alone it says
that no answer follows from the table and the words, beside others that declining costs a wish, not trust.
``data/*.csv``: tips (plotly, MIT), cars, weather, electricity and deaths (vega_datasets, MIT; public data), gapminder
(gapminder.org, CC BY, from plotly); the others are made up.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

HERE = Path(__file__).parent
# Text in the table that the planner gets.
DATES = {
    "orders": "order_date",
    "weather": "date",
    "matches": "date",
    "gym": "joined",
    "housing": "listed_on",
    "tickets": "opened_at",
    "invoices": "issued",
    "visits": "visited_at",
    "library": "borrowed_on",
}
TIMES = {"staff": "hire_date", "requests": "timestamp", "sensors": "timestamp", "flights": "departure"}


@dataclass(frozen=True)
class Prompt:
    table: str
    question: str
    expected: tuple[str, ...]


def prompts(folder: str = "prompts") -> Iterator[Prompt]:
    for path in sorted((HERE / folder).glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            question, _, expected = line.partition(" => ")
            if expected:
                yield Prompt(path.stem, question, tuple(re.split(r" \| (?=decline|[a-zA-Z(])", expected)))


HELD_OUT = {"invoices", "visits"}  # tables and questions from after the rules


def held_out(prompt: Prompt) -> bool:
    return prompt.table in HELD_OUT


def frame_of(bench: Any, table: str) -> pd.DataFrame:
    if table in bench.FRAMES:
        return bench.FRAMES[table]()
    frame = pd.read_csv(HERE / "data" / f"{table}.csv")
    return frame.assign(**{TIMES[table]: pd.to_datetime(frame[TIMES[table]])}) if table in TIMES else frame


# --- what an expectation may say ------------------------------------------------------------------------------------


@dataclass
class Claim:
    kind: str
    value: Any


def pairs(series: pd.Series) -> Claim:
    """These labels with these numbers, in this order, last."""
    return Claim("pairs", list(series.items()))


def rows(frame: pd.DataFrame) -> Claim:
    return Claim("rows", [str(label) for label in frame.index])


def toprows(frame: pd.DataFrame, by: str, column: str, n: int) -> Claim:
    ranks = frame.groupby(by)[column].rank(method="min", ascending=False)
    return Claim("rowset", {str(label) for label in frame[ranks <= n].index})


def topgroups(frame: pd.DataFrame, by: str, of: str, column: str, n: int) -> Claim:
    sums = frame.groupby([by, of])[column].sum()
    best = sums[sums.groupby(by).rank(ascending=False) <= n]
    return Claim("lines", [(*labels, value) for labels, value in best.items()])


def most(frame: pd.DataFrame, by: str, of: str) -> Claim:
    counts = frame.groupby([by, of]).size()
    best = counts[counts.groupby(by).rank(method="min", ascending=False) <= 1]
    return Claim("lines", [(*labels, value) for labels, value in best.items()])


def tops(frame: pd.DataFrame, key: str, column: str, n: int) -> Claim:
    best = frame.groupby(key)[column].sum().nlargest(n)
    return Claim("lines", list(best.items()))


def names(expected: list[str]) -> Claim:
    return Claim("names", sorted(expected))


def first(text: str) -> Claim:
    return Claim("text", text)


def iqr(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    low, high = frame[column].quantile([0.25, 0.75])
    reach = 1.5 * (high - low)
    return frame[(frame[column] < low - reach) | (frame[column] > high + reach)]


def figure(kind: str) -> Any:
    return lambda *values: Claim(kind, values)


WORDS = {
    "np": np,
    "pd": pd,
    "iqr": iqr,
    "pairs": pairs,
    "rows": rows,
    "toprows": toprows,
    "topgroups": topgroups,
    "most": most,
}
WORDS |= {"tops": tops, "names": names, "first": first}
WORDS |= {kind: figure(kind) for kind in ("bars", "barh", "line", "hist", "points", "boxes", "pie", "heat")}


# --- whether it holds -----------------------------------------------------------------------------------------------


def close(printed: float, expected: float) -> bool:
    if math.isnan(expected) or math.isnan(printed):
        return math.isnan(expected) and math.isnan(printed)
    return abs(printed - expected) <= max(
        0.00500001 if abs(expected) >= 0.05 else 0.00050001 if abs(expected) > 0.005 else abs(expected) * 0.005, 1e-9
    )


def numbers(text: str) -> list[float]:
    return [float(part) for part in text.split() if re.fullmatch(r"-?\d[\d.]*(e[+-]\d+)?|NaN", part)]


def line_of(printed: str, labels: tuple[Any, ...]) -> list[str]:
    said = [r"\s*".join(re.escape(str(label)) for label in labels[:1])]
    found = [line for line in printed.splitlines() if re.match(rf"\s*{said[0]}(\s|$)", line)]
    return [line for line in found if all(str(label) in line for label in labels)]


def holds(ran: Any, claim: Any) -> bool:
    printed = ran.printed
    match claim:
        case Claim("pairs", expected):
            lines = printed.splitlines()[-len(expected) :]
            ok = all(
                line.strip().startswith(str(label)) and close((numbers(line) or [math.nan])[-1], value)
                for line, (label, value) in zip(lines, expected, strict=False)
            )
            before = printed.splitlines()[: -len(expected)]
            return ok and len(lines) == len(expected) and not any(re.search(r"  +-?\d", line) for line in before[1:])
        case Claim("rows", labels):
            return [line.split()[0] for line in printed.splitlines() if re.match(r"\d+ ", line)] == labels
        case Claim("rowset", labels):
            return {line.split()[0] for line in printed.splitlines() if re.match(r"\d+ ", line)} == labels
        case Claim("lines", expected):
            found = [line for line in printed.splitlines() if numbers(line) and re.search(r"  ", line)]
            return len(found) == len(expected) and all(
                any(
                    all(str(label) in line for label in labels) and any(close(n, value) for n in numbers(line))
                    for line in found
                )
                for *labels, value in expected
            )
        case Claim("names", expected):
            lines = [line.strip() for line in printed.splitlines() if line.strip()]
            return any(sorted(re.sub(r"^\d+\s{2,}", "", x) for x in lines[-len(expected) :]) == expected for _ in (0,))
        case Claim("text", text):
            return text in printed
        case Claim():
            return bool(ran.figures) and drawn(ran.figures[0], claim.kind, claim.value)
        case pd.DataFrame():
            return all(
                any(
                    all(any(close(n, v) for n in numbers(line)) for v in row if not math.isnan(v))
                    for line in line_of(printed, label if isinstance(label, tuple) else (label,))
                )
                for label, row in claim.iterrows()
            )
        case pd.Series():
            return not len(claim) or all(
                any(
                    str(value) in line if isinstance(value, str) else any(close(n, value) for n in numbers(line))
                    for line in line_of(printed, label if isinstance(label, tuple) else (label,))
                )
                for label, value in claim.items()
            )
        case _:
            lines = [line for line in printed.splitlines() if not line.startswith("Rows")] or printed.splitlines()
            last = re.sub(r" of \d+$| %$", "", lines[-1]) if lines else ""
            found_numbers = numbers(last)
            return bool(found_numbers) and close(found_numbers[-1], float(claim))


def drawn(drawing: Any, kind: str, values: tuple[Any, ...]) -> bool:
    axes = drawing.axes[0]
    if not axes.get_title() or (kind not in {"pie", "heat"} and not (axes.get_xlabel() and axes.get_ylabel())):
        return False
    match kind:
        case "bars" | "barh":
            heights = [float(p.get_height() if kind == "bars" else p.get_width()) for p in axes.patches]
            return np.allclose(heights, values[0].to_numpy(float), equal_nan=True)
        case "line":
            if values[0] is None:
                return bool(axes.lines)
            want = values[0].to_frame() if isinstance(values[0], pd.Series) else values[0]
            got = [np.asarray(line.get_ydata(), float) for line in axes.lines]
            return len(got) == want.shape[1] and all(
                len(a[~np.isnan(a)]) == want[c].count()
                and np.allclose(a[~np.isnan(a)], want[c].dropna().to_numpy(float))
                for a, c in zip(got, want, strict=True)
            )
        case "hist":
            total = sum(float(p.get_height()) for p in axes.patches)
            return total in {values[0], values[0] - 1, values[0] - 9} and values[1] in {None, len(axes.patches)}
        case "points":
            return sum(len(c.get_offsets()) for c in axes.collections) > 10 and values[1] in {None, axes.get_xlabel()}
        case "boxes":
            return values[0] is None or {round(float(v), 2) for v in values[0]} <= {
                round(float(y), 2) for line in axes.lines for y in line.get_ydata()
            }
        case "pie":
            return np.isclose(
                sorted(w.theta2 - w.theta1 for w in axes.patches), sorted(values[0] / values[0].sum() * 360), atol=0.01
            ).all()
        case _:
            return np.allclose(np.asarray(axes.images[0].get_array(), float), values[0], atol=0.01)


def judge(bench: Any, prompt: Prompt) -> tuple[str, str, Any]:
    """``right``, ``declined``, ``wrong``, or ``refused``: rightly declined."""
    frame = frame_of(bench, prompt.table)
    ran = bench.run({prompt.table: frame}, *prompt.question.split(" // "))
    if ran.declined:
        return ("refused" if prompt.expected == ("decline",) else "declined"), ran.text, ran
    known = frame
    if prompt.table in DATES:
        known = frame.assign(**{DATES[prompt.table]: pd.to_datetime(frame[DATES[prompt.table]])})
    for expression in prompt.expected:
        if expression.startswith("decline"):
            continue
        claim = eval(expression, {**WORDS, "d": known})
        if holds(ran, claim):
            return "right", "", ran
    return "wrong", ran.printed, ran


TABLES = sorted({prompt.table for prompt in prompts()})
_seen: dict[str, dict[Prompt, str]] = {}


def outcomes(bench: Any, table: str) -> dict[Prompt, str]:
    if table not in _seen:
        _seen[table] = {prompt: judge(bench, prompt)[0] for prompt in prompts() if prompt.table == table}
    return _seen[table]


@pytest.mark.parametrize("table", TABLES)
def test_no_answer_is_wrong(bench: Any, table: str) -> None:
    assert not [prompt.question for prompt, outcome in outcomes(bench, table).items() if outcome == "wrong"]


def test_the_readme_has_the_numbers(bench: Any) -> None:
    readme = (HERE.parents[1] / "README.md").read_text(encoding="utf-8")
    found = [(held_out(prompt), outcome) for table in TABLES for prompt, outcome in outcomes(bench, table).items()]
    for held, name in ((False, "known while the rules were written"), (True, "held out")):
        count = Counter(outcome for which, outcome in found if which == held)
        asked = count["right"] + count["declined"] + count["wrong"]
        row = f"| {name} | {asked} | {count['right']} | {count['declined']} | {count['wrong']} |"
        assert row in readme, row


def test_the_judge_tells_wrong_from_right(bench: Any) -> None:
    right = Prompt("tips", "mean tip by day", ('d.groupby("day").tip.mean()',))
    assert judge(bench, right)[0] == "right"
    for other in ('d.groupby("day").tip.median()', 'd.groupby("time").tip.mean()', "d.tip.mean()", "rows(d.head())"):
        assert judge(bench, Prompt("tips", right.question, (other,)))[0] == "wrong", other

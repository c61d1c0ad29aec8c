"""The planner's words: what they mean, and nothing about how they may be combined."""

from __future__ import annotations

__all__ = [
    "ADDITIVE",
    "ADJECTIVES",
    "ANSWERS",
    "ARTICLES",
    "CHARTS",
    "COMPARATIVES",
    "DATE_WORDS",
    "HOWS",
    "HOW_LABELS",
    "IRREGULAR",
    "MONTHS",
    "NUMBER_WORDS",
    "PERIODS",
    "PERIOD_ADJECTIVES",
    "SUPERLATIVES",
    "UNITS",
]

ARTICLES = frozenset({"the", "a", "an", "please"})

# Ways to aggregate, by the pandas method that computes them.
HOWS: dict[str, tuple[str, ...]] = {
    "mean": ("mean",),
    "average": ("mean",),
    "avg": ("mean",),
    "median": ("median",),
    "sum": ("sum",),
    "total": ("sum",),
    "minimum": ("min",),
    "min": ("min",),
    "lowest": ("min",),
    "smallest": ("min",),
    "maximum": ("max",),
    "max": ("max",),
    "highest": ("max",),
    "largest": ("max",),
    "biggest": ("max",),
    "greatest": ("max",),
    "std": ("std",),
    "standard deviation": ("std",),
    "variance": ("var",),
    "range": ("min", "max"),
}
HOW_LABELS = {
    "mean": "Mean",
    "median": "Median",
    "sum": "Total",
    "min": "Minimum",
    "max": "Maximum",
    "std": "Standard deviation",
    "var": "Variance",
    "nunique": "Number of distinct values",
    "count": "Number of known values",
}

# Values that answer a question: a column with one of them says of every row whether it is a "smoker".
ANSWERS = frozenset({"yes", "y", "true", "ja", "oui", "no", "n", "false", "nein", "non", "never", "maybe", "unknown"})

# Plurals that do not end in s.
IRREGULAR = {"people": "person", "children": "child", "men": "man", "women": "woman"}

SUPERLATIVES: dict[str, bool] = {  # True: the largest come first
    "highest": True,
    "largest": True,
    "biggest": True,
    "greatest": True,
    "most": True,
    "lowest": False,
    "smallest": False,
    "fewest": False,
    "least": False,
}

# A superlative adjective, the largest-first flag, and the nouns that name what it measures.
ADJECTIVES: dict[str, tuple[bool, tuple[str, ...]]] = {
    "heaviest": (True, ("mass", "weight")),
    "lightest": (False, ("mass", "weight")),
    "longest": (True, ("length", "duration")),
    "shortest": (False, ("length", "duration", "height")),
    "tallest": (True, ("height",)),
    "deepest": (True, ("depth",)),
    "widest": (True, ("width",)),
    "oldest": (True, ("age",)),
    "youngest": (False, ("age",)),
    "cheapest": (False, ("price", "cost")),
    "priciest": (True, ("price", "cost")),
}
COMPARATIVES: dict[str, tuple[str, tuple[str, ...]]] = {
    "heavier": (">", ("mass", "weight")),
    "lighter": ("<", ("mass", "weight")),
    "longer": (">", ("length", "duration")),
    "shorter": ("<", ("length", "duration", "height")),
    "taller": (">", ("height",)),
    "deeper": (">", ("depth",)),
    "wider": (">", ("width",)),
    "older": (">", ("age",)),
    "younger": ("<", ("age",)),
    "cheaper": ("<", ("price", "cost")),
}

# Amounts that everybody adds up: "monthly revenue" is a total.
ADDITIVE = frozenset(
    [
        "revenue",
        "sale",
        "amount",
        "quantity",
        "profit",
        "turnover",
        "spend",
        "spending",
        "income",
        "earning",
        "expense",
        "expenditure",
        "unit",
    ]
)

NUMBER_WORDS = {
    word: n
    for n, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], start=1
    )
} | {"twenty": 20, "fifty": 50}

MONTHS = {
    word: n
    for n, word in enumerate(
        [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ],
        start=1,
    )
}

PERIODS = {"day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y"}
PERIOD_ADJECTIVES = {
    "daily": "D",
    "weekly": "W",
    "monthly": "M",
    "quarterly": "Q",
    "yearly": "Y",
    "annual": "Y",
}
DATE_WORDS = frozenset({"date", "datetime", "timestamp", "day", "time"})

CHARTS = {
    "bar": "bar",
    "bars": "bar",
    "line": "line",
    "lines": "line",
    "histogram": "hist",
    "scatter": "scatter",
    "scatterplot": "scatter",
    "boxplot": "box",
    "box": "box",
}

# A unit at the end of a column's name, with the words a question may use for it.
UNITS: dict[str, tuple[str, ...]] = {
    "g": ("g", "gram", "grams"),
    "kg": ("kg", "kilo", "kilos", "kilogram", "kilograms"),
    "mg": ("mg", "milligram", "milligrams"),
    "lb": ("lb", "lbs", "pound", "pounds"),
    "mm": ("mm", "millimetre", "millimetres", "millimeter", "millimeters"),
    "cm": ("cm", "centimetre", "centimetres", "centimeter", "centimeters"),
    "m": ("m", "metre", "metres", "meter", "meters"),
    "km": ("km", "kilometre", "kilometres", "kilometer", "kilometers"),
    "eur": ("eur", "euro", "euros", "€"),
    "usd": ("usd", "dollar", "dollars", "$"),
    "s": ("s", "second", "seconds"),
    "ms": ("ms", "millisecond", "milliseconds"),
    "min": ("minute", "minutes"),
    "h": ("h", "hour", "hours"),
    "years": ("year", "years"),
}

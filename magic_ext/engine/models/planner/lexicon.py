"""The planner's words: what they mean, and nothing about how they may be combined."""

from __future__ import annotations

__all__ = [
    "ABBREVIATIONS",
    "ADDITIVE",
    "ADJECTIVES",
    "ANSWERS",
    "ARTICLES",
    "ATTRIBUTES",
    "CHARTS",
    "COMPARATIVES",
    "DATED",
    "DATE_WORDS",
    "DURATIONS",
    "HOWS",
    "HOW_LABELS",
    "HOW_MUCH",
    "IDS",
    "IRREGULAR",
    "LASTING",
    "MONTHS",
    "NO",
    "NUMBER_WORDS",
    "PARTS",
    "PEOPLE",
    "PERIODS",
    "PERIOD_ADJECTIVES",
    "SEXES",
    "SUPERLATIVES",
    "SYNONYMS",
    "UNITS",
    "VERBS",
    "WEEKDAYS",
    "YES",
]

ARTICLES = frozenset({"the", "a", "an", "please", "pls", "plz"})

# Ways to aggregate, by the pandas method that computes them.
HOWS: dict[str, tuple[str, ...]] = {
    "mean": ("mean",),
    "average": ("mean",),
    "avg": ("mean",),
    "median": ("median",),
    "sum": ("sum",),
    "total": ("sum",),
    "totals": ("sum",),
    "sums": ("sum",),
    "averages": ("mean",),
    "means": ("mean",),
    "medians": ("median",),
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
    "stdev": ("std",),
    "std dev": ("std",),
    "sd": ("std",),
    "variance": ("var",),
    "range": ("min", "max"),
    "interquartile range": ("iqr",),
    "iqr": ("iqr",),
    "quartiles": ("q0.25", "q0.5", "q0.75"),
    "first quartile": ("q0.25",),
    "lower quartile": ("q0.25",),
    "third quartile": ("q0.75",),
    "upper quartile": ("q0.75",),
}
HOW_LABELS = {
    "mean": "Mean",
    "median": "Median",
    "sum": "Total",
    "min": "Minimum",
    "max": "Maximum",
    "std": "Standard deviation",
    "var": "Variance",
    "iqr": "Interquartile range",
    "spread": "Maximum minus minimum",
    "nunique": "Number of distinct values",
    "count": "Number of known values",
}

# Values that answer a question: a column with one of them says of every row whether it is a "smoker".
ANSWERS = frozenset({"yes", "y", "true", "ja", "oui", "no", "n", "false", "nein", "non", "never", "maybe", "unknown"})

YES = frozenset({"yes", "y", "true", "ja", "oui"})
NO = frozenset({"no", "n", "false", "nein", "non"})

# Other words for the last word of a column's name; the sentence says what they were taken for.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "mass": ("weight",),
    "weight": ("mass",),
    "sex": ("gender",),
    "gender": ("sex",),
    "salary": ("pay", "wage"),
    "wage": ("pay", "salary"),
    "pay": ("salary", "wage"),
    "customer": ("client",),
    "client": ("customer",),
    "movie": ("film",),
    "film": ("movie",),
    "nation": ("country",),
    "revenue": ("turnover",),
    "turnover": ("revenue",),
    "runtime": ("duration", "length"),
    "temperature": ("temp",),
}

# What follows a noun in the name of a column that says something of it, and what tells it apart.
_ATTRIBUTES = """
    country city name type age gender sex class region state status category group segment kind nationality
"""
ATTRIBUTES = frozenset(_ATTRIBUTES.split())
IDS = frozenset({"id", "no", "nr", "key", "code", "number", "name", "email"})

# Who a value stands for.
SEXES = {"women": "female", "woman": "female", "men": "male", "man": "male"}

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
    "longest": (True, ("length", "duration", "runtime", "distance")),
    "shortest": (False, ("length", "duration", "height", "runtime", "distance")),
    "tallest": (True, ("height",)),
    "deepest": (True, ("depth",)),
    "widest": (True, ("width",)),
    "oldest": (True, ("age",)),
    "youngest": (False, ("age",)),
    "cheapest": (False, ("price", "cost")),
    "priciest": (True, ("price", "cost")),
    "most expensive": (True, ("price", "cost")),
    "least expensive": (False, ("price", "cost")),
    "hottest": (True, ("temperature",)),
    "warmest": (True, ("temperature",)),
    "coldest": (False, ("temperature",)),
    "coolest": (False, ("temperature",)),
    "best paid": (True, ("salary", "wage", "income", "pay")),
    "worst paid": (False, ("salary", "wage", "income", "pay")),
    "highest paid": (True, ("salary", "wage", "income", "pay")),
    "lowest paid": (False, ("salary", "wage", "income", "pay")),
    "fastest": (True, ("speed", "velocity")),
    "slowest": (False, ("speed", "velocity")),
    "best rated": (True, ("rating", "score")),
    "worst rated": (False, ("rating", "score")),
    "highest rated": (True, ("rating", "score")),
    "lowest rated": (False, ("rating", "score")),
    "richest": (True, ("income", "wealth")),
    "poorest": (False, ("income", "wealth")),
    "most populous": (True, ("population",)),
    "least populous": (False, ("population",)),
}

# What can be long as well, when it is said: "longest delay".
LASTING = ("delay", "wait", "time")

# The same of dates: True for the last.
DATED: dict[str, bool] = {
    "latest": True,
    "newest": True,
    "most recent": True,
    "last": True,
    "earliest": False,
    "oldest": False,
    "first": False,
}

# Verbs that name what they measure.
VERBS: dict[str, tuple[str, ...]] = {
    "weigh": ("mass", "weight"),
    "weighs": ("mass", "weight"),
    "weighed": ("mass", "weight"),
    "earn": ("salary", "wage", "income", "pay"),
    "earns": ("salary", "wage", "income", "pay"),
    "cost": ("price", "cost"),
    "costs": ("price", "cost"),
}
# "How heavy": the nouns that tell.
HOW_MUCH: dict[str, tuple[str, ...]] = {
    "heavy": ("mass", "weight"),
    "long": ("length", "duration", "runtime"),
    "tall": ("height",),
    "high": ("height", "elevation", "altitude"),
    "deep": ("depth",),
    "wide": ("width",),
    "old": ("age",),
    "expensive": ("price", "cost"),
    "fast": ("speed", "velocity"),
    "warm": ("temperature",),
    "hot": ("temperature",),
    "cold": ("temperature",),
    "far": ("distance",),
}
PEOPLE = frozenset({"people", "person", "persons", "employee", "employees", "staff", "worker", "workers"})
COMPARATIVES: dict[str, tuple[str, tuple[str, ...]]] = {
    "heavier": (">", ("mass", "weight")),
    "lighter": ("<", ("mass", "weight")),
    "longer": (">", ("length", "duration", "runtime", "distance")),
    "shorter": ("<", ("length", "duration", "height", "runtime", "distance")),
    "taller": (">", ("height",)),
    "deeper": (">", ("depth",)),
    "wider": (">", ("width",)),
    "older": (">", ("age",)),
    "younger": ("<", ("age",)),
    "cheaper": ("<", ("price", "cost")),
    "more expensive": (">", ("price", "cost")),
    "faster": (">", ("speed", "velocity")),
    "slower": ("<", ("speed", "velocity")),
    "warmer": (">", ("temperature",)),
    "hotter": (">", ("temperature",)),
    "colder": ("<", ("temperature",)),
    "higher": (">", ("height", "elevation", "altitude")),
}

# Amounts that everybody adds up: "monthly revenue" is a total.
_AMOUNTS = """
    revenue sale amount quantity profit turnover spend spending income earning expense expenditure unit goal card
    point visit click view death birth case passenger vote precipitation rainfall rain snowfall donation ticket
    call order medal win umsatz menge betrag gewinn
"""
ADDITIVE = frozenset(_AMOUNTS.split())

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
# Parts of a date that come again and again.
PARTS = {
    "weekday": "weekday",
    "weekdays": "weekday",
    "day of week": "weekday",
    "day of the week": "weekday",
    "days of week": "weekday",
    "hour": "hour",
    "hours": "hour",
    "hour of day": "hour",
    "hour of the day": "hour",
    "month of year": "month",
    "month of the year": "month",
    "calendar month": "month",
    "quarter of year": "quarter",
    "quarter of the year": "quarter",
}
PERIOD_ADJECTIVES = {
    "hourly": "h",
    "daily": "D",
    "weekly": "W",
    "monthly": "M",
    "quarterly": "Q",
    "yearly": "Y",
    "annual": "Y",
}
DATE_WORDS = frozenset({"date", "datetime", "timestamp", "day", "time", "datum", "zeit", "zeitpunkt", "tag"})

WEEKDAYS = {
    word: n for n, word in enumerate(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])
}

CHARTS = {
    "bar": "bar",
    "bars": "bar",
    "column": "bar",
    "vertical bar": "bar",
    "grouped bar": "bar",
    "clustered bar": "bar",
    "horizontal bar": "barh",
    "stacked bar": "stacked",
    "stacked": "stacked",
    "pie": "pie",
    "line": "line",
    "lines": "line",
    "histogram": "hist",
    "hist": "hist",
    "scatter": "scatter",
    "scatterplot": "scatter",
    "boxplot": "box",
    "box": "box",
}

# Short forms in the names of columns, written out as questions have them.
ABBREVIATIONS: dict[str, tuple[str, ...]] = {
    "temp": ("temperature",),
    "exp": ("expectancy",),
    "pop": ("population",),
    "percap": ("per", "capita"),
    "qty": ("quantity",),
    "amt": ("amount",),
    "dept": ("department",),
    "num": ("number",),
    "avg": ("average",),
    "mpg": ("miles", "per", "gallon"),
    "lat": ("latitude",),
    "lon": ("longitude",),
    "lng": ("longitude",),
    "hp": ("horsepower",),
    "dist": ("distance",),
    "dur": ("duration",),
    "desc": ("description",),
    "addr": ("address",),
    "cust": ("customer",),
    "prod": ("product",),
    "emp": ("employee",),
    "yr": ("year",),
    "len": ("length",),
    "wt": ("weight",),
    "ht": ("height",),
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
    "h": ("h", "hour", "hours"),
    "years": ("year", "years"),
    "c": ("c", "celsius", "°c"),
    "f": ("f", "fahrenheit", "°f"),
    "pct": ("pct", "percent", "%"),
    "v": ("v", "volt", "volts"),
    "w": ("w", "watt", "watts"),
    "kw": ("kw", "kilowatt", "kilowatts"),
    "kwh": ("kwh",),
    "hpa": ("hpa", "hectopascal", "hectopascals"),
    "kb": ("kb", "kilobyte", "kilobytes"),
    "mb": ("mb", "megabyte", "megabytes"),
    "gb": ("gb", "gigabyte", "gigabytes"),
    "gbp": ("gbp", "£"),
    "min": ("minute", "minutes", "mins"),
}
_PLAIN_UNITS = """
    chf jpy cny inr sek nok dkk pln cad aud musd meur kusd keur kmh kph mph mps px db hz khz mhz ghz bpm rpm kcal cal l
    ml cl dl oz ft yd mi ha sqm sqft m2 km2 pa kpa mbar kj mj mw mwh gwh ppm mmhg sec secs hr hrs mins deg
"""
UNITS |= {unit: (unit,) for unit in _PLAIN_UNITS.split() if unit not in UNITS}
# "_min" is minutes behind these words, else a minimum.
_DURATIONS = """
    runtime delay duration time wait waiting travel session call trip drive commute sleep downtime response watch play
    exercise work workout prep cook cooking length processing screen ride flight usage
"""
DURATIONS = frozenset(_DURATIONS.split())

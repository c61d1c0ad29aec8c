"""German numbers, dates and the order of words, before any word is translated."""

from __future__ import annotations

import re

from .german_words import MONTHS

__all__ = ["numbers", "ordered"]

_QUOTED = r"`[^`\n]+`|\"[^\"\n]+\"|„[^“\n]+“|“[^”\n]+”"
_WRITTEN = re.compile(
    rf"""(?P<quoted>{_QUOTED})
  | (?<![\w.,-]) (?P<day>\d{{1,2}}) \. [ ]? (?P<month>\d{{1,2}}) \. [ ]? (?P<year>\d{{4}}) (?![\w])
  | (?<![\w.,]) (?P<ordinal>\d{{1,2}}) \. (?=[ ](?:{"|".join(MONTHS)}|märz|jänner)\b)
  | (?<![\w.,]) (?P<rank>\d{{1,2}}) \.? (?:[ ](?P<perzentil>perzentil)|(?P<percent>[ ]?%-|-?%[ ])(?=quantil))
  | (?<![\w.,]) (?P<whole>\d{{1,3}}(?:\.\d{{3}})+|\d+) (?P<part>,\d+)? (?![\w.,]\d|\w)
    """,
    re.VERBOSE | re.IGNORECASE,
)


def numbers(text: str) -> str:
    """German numbers and dates as the grammar writes them: 1.000,5 and 31.12.2023; a thousand with a comma stays.

    >>> numbers("über 1.000,5 am 31.12.2023 oder 1,250")
    'über 1000.5 am 2023-12-31 oder `1,250`'
    """
    return _WRITTEN.sub(_number, text)


def _number(match: re.Match[str]) -> str:
    if match["day"]:
        return f"{match['year']}-{int(match['month']):02}-{int(match['day']):02}"
    if match["ordinal"]:
        return match["ordinal"]
    if match["rank"]:
        return f"{match['rank']}th perzentil" if match["perzentil"] else f"{match['rank']}% "
    if match["whole"]:
        whole, part = match["whole"].replace(".", ""), match["part"] or ""
        if len(part) == 4 and whole != "0" and len(whole) < 4:
            return f"`{match[0]}`"  # 1,250 is 1.25 or 1250: nobody knows
        return whole + part.replace(",", ".")
    return f'"{match[0][1:-1]}"' if match[0][0] == "„" else match[0]


_END = r"(?=\s*[,.?!;]|\s*$|\s+(?:je|pro|nach)\s)"
_FINITE = "sind|ist|waren|war|wurden|wurde|haben|hat|hatten|wiegen|wiegt"
_ORDERS = (
    # "nach Insel stattdessen", as the grammar has it
    (r"^(?:und )?(?:stattdessen|statt dessen) (.+?)([.?!]*)$", r"\1 stattdessen\2"),
    # "die schwerer als 5000 sind": the verb goes to the front
    (rf"(\w)\s*, (?:die|der|das|welche[rs]?) ([^,.?!]+?) ({_FINITE}){_END}", r"\1 dierel \3 \2"),
    (rf"\b(deren|dessen|bei denen|wo) ([^,.?!]+?) (?:sind|ist|waren|war|beträgt|liegt){_END}", r"\1 \2"),
    (rf"\b((?:bei denen|wo) [^,.?!]+?) fehlt{_END}", r"\1 fehlend"),
    # "in welchem Monat war der Umsatz am höchsten"
    (r"^(?:in|an|bei) welche[mrn] (.+?) (?:war|ist) (?:der|die|das) (.+) am (höchsten|niedrigsten|größten|kleinsten)",
     r"welche \1 hat \3 \2"),
    (r"^(?:in|an|bei) welche[mrn] (.+?) (?:gibt es|gab es) ", r"welche \1 hat "),
    (r"^(welche[rs]? .+? (?:hat|hatte)) (?:im jahr )?([12]\d{3}) (.+?)([.?!]*)$", r"\1 \3 in \2\4"),
    (r"^(welche[rs]? .+? (?:hat|hatte)) im (?:durchschnitt|mittel|schnitt) (?:den|die|das) (\w+) ",
     r"\1 \2 durchschnittliche "),
    # "im Durchschnitt", from behind
    (r"(wie \w+ (?:ist|sind|war|waren)) (?:der |die |das )?([^,.?!]+?) im (?:durchschnitt|mittel|schnitt)\b",
     r"\1 durchschnittliche \2"),
    (r"^anteil (?:jede[rs]|der einzelnen) (.+?) (?:am|an der|an den) (.+)", r"anteil von jeder \1 in \2"),
    # "zeig das als Balkendiagramm"
    (r"^((?:und )?(?:zeige?|zeichne|plotte|stelle?)) (?:das|es|sie|dies|diese) (?:bitte )?(als|mit|in) ", r"\1 es \2 "),
    (r"^wie (?:oft|häufig) kommt jede[rs]? (.+?) vor\b", r"häufigkeit von \1"),
    # what stands at the end of a verb
    (r"^((?:liste|zeige?|gib|stelle?) .+?) (?:auf|an|aus|dar)([.?!]*)$", r"\1\2"),
    (r"^(?:stelle?|visualisiere) ", "zeige "),
    (r"^wie (?:ist|sind) (.+?) verteilt([.?!]*)$", r"verteilung von \1\2"),
    (r"^wie (?:verteilt|verteilen) sich (.+?)([.?!]*)$", r"verteilung von \1\2"),
    (r"^wie (?:entwickelt(?:e|en)? sich|hat sich|haben sich) (.+?)(?: entwickelt)?([.?!]*)$", r"entwicklung von \1\2"),
    (r"^wie (?:stark )?(?:korrelier(?:t|en)|hängt|hängen) (.+?) (?:und|mit|von) (.+?)(?: zusammen| ab)?([.?!]*)$",
     r"korrelation zwischen \1 und \2\3"),
)  # fmt: skip


def ordered(text: str) -> str:
    """The question with its verbs where English has them.

    >>> ordered("Pinguine, die schwerer als 5000 sind")
    'Pinguine dierel sind schwerer als 5000'
    """
    text = text.strip()
    for pattern, order in _ORDERS:
        text = re.sub(pattern, order, text, flags=re.IGNORECASE)
    return text

"""The offline planner: plain questions about tables become pandas code by fixed rules, or are declined.

It is no language model. A question is read by a small grammar that must account for every word; from the one reading
comes a frozen plan, and from the plan a notebook cell. What the grammar does not cover is declined with the words that
were not understood. ``tokens`` cuts the text, ``schema`` finds columns and values, ``grammar`` is the parser;
``phrases``, ``groupings``, ``measures``, ``filters``, ``flags``, ``comparatives``, ``negations``, ``modifying`` and
``times`` are its rules for parts of sentences, ``questions``, ``ranked``, ``compared``, ``shares``, ``trends``,
``inventory``, ``drawings`` and ``followups`` those for whole ones; ``joins`` makes one table of several, ``defining``
adds a column that the question defines, ``near`` knows slips; ``refine`` settles what is open, ``plan`` is the result;
``compile``, ``grouped`` and ``figures`` write the code, ``say`` the sentences around it; ``compute`` and ``algebra``
need no table.
"""

from __future__ import annotations

from .model import OfflinePlanner

__all__ = ["OfflinePlanner"]

"""Telling what library an object is of: the library is looked up among the loaded ones, never imported."""

from __future__ import annotations

import sys

__all__ = ["is_a", "library_of"]


def is_a(value: object, module: str, name: str) -> bool:
    """Whether ``value`` is an instance of the class ``name`` in ``module``, as far as that is loaded.

    >>> from decimal import Decimal
    >>> is_a(Decimal(1), "decimal", "Decimal"), is_a(1, "no_such_module", "Decimal")
    (True, False)
    """
    known = getattr(sys.modules.get(module), name, None)
    return isinstance(known, type) and isinstance(value, known)


def library_of(value: object) -> str:
    """The package that the class of ``value`` comes from.

    >>> from decimal import Decimal
    >>> library_of(Decimal(1))
    'decimal'
    """
    return type(value).__module__.partition(".")[0]

"""The one place that imports the HTTP library, so that changing it is one line.

Import this module at first use only: it costs 60 ms.
"""

from __future__ import annotations

import httpx

__all__ = ["httpx"]

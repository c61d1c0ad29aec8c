"""When a request is tried again, and after how long.

Only while the server has not begun to answer: a refused connection, or an error status that says "later". Never after a
read timeout, because a POST may have been billed (wire.md section 7, design section 9).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from .errors import ApiError, ConnectionFailed

if TYPE_CHECKING:
    from tenacity import RetryCallState

__all__ = ["ATTEMPTS", "LONGEST_WAIT", "pause", "retry_after", "retrying"]

T = TypeVar("T")
ATTEMPTS = 5
CONNECT_ATTEMPTS = 3
LONGEST_WAIT = 60.0  # seconds; a server that asks for more is shown to the user instead
_AGAIN = frozenset({408, 409, 429, 500, 502, 503, 504})


def retry_after(headers: Mapping[str, str], details: object) -> float | None:
    """Seconds that a server asks to wait: ``retry-after-ms``, ``retry-after``, then ``RetryInfo`` in the body.

    >>> retry_after({"retry-after-ms": "20"}, None)
    0.02
    >>> retry_after({}, [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "45.8s"}])
    45.8
    """
    if (seconds := _number(headers.get("retry-after-ms"))) is not None:
        return seconds / 1000
    if (seconds := _seconds_or_date(headers.get("retry-after"))) is not None:
        return seconds
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and str(detail.get("@type", "")).endswith("RetryInfo"):
            delay = re.fullmatch(r"([0-9.]+)s", str(detail.get("retryDelay", "")))
            return _number(delay[1]) if delay else None
    return None


def retrying(call: Callable[[], T], on_wait: Callable[[float, str], None] | None = None) -> T:
    """Run ``call`` until it succeeds, fails for good, or five attempts are used up; the last error is raised.

    ``on_wait(seconds, reason)`` is told before each pause.
    """
    import tenacity

    def tell(state: RetryCallState) -> None:
        if on_wait and state.next_action and state.outcome:
            on_wait(state.next_action.sleep, str(state.outcome.exception()))

    def stop(state: RetryCallState) -> bool:
        refused = state.outcome is not None and isinstance(state.outcome.exception(), ConnectionFailed)
        return state.attempt_number >= (CONNECT_ATTEMPTS if refused else ATTEMPTS)

    runner = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_worth_another),
        wait=_pause,
        stop=stop,
        before_sleep=tell,
        reraise=True,
    )
    return runner(call)


def pause(seconds: float) -> None:
    """Wait as :func:`retrying` does between two attempts."""
    import tenacity.nap

    tenacity.nap.sleep(seconds)


def _worth_another(error: BaseException) -> bool:
    if isinstance(error, ConnectionFailed):
        return error.transient
    return (
        isinstance(error, ApiError)
        and error.status in _AGAIN
        and error.code != "quota_exceeded"
        and (error.retry_after or 0.0) <= LONGEST_WAIT
    )


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, ApiError) else None
    if asked is not None:
        return asked
    import tenacity

    return float(tenacity.wait_exponential_jitter(initial=0.5, max=8.0, jitter=0.25)(state))


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _seconds_or_date(text: str | None) -> float | None:
    if text is None:
        return None
    if (seconds := _number(text)) is not None:
        return seconds
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        when = parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (when - datetime.now(UTC)).total_seconds())

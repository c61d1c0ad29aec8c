"""Errors as the service answers them (wire.md section 7.1)."""

from __future__ import annotations

from typing import Any

__all__ = ["EngineError", "bad_request", "not_found"]


class EngineError(Exception):
    """An error document: an HTTP ``status`` and Google's word for it, ``code``."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def document(self) -> dict[str, Any]:
        """The JSON body.

        >>> EngineError(404, "not_found", "No interaction v1_x.").document
        {'error': {'code': 'not_found', 'message': 'No interaction v1_x.'}}
        """
        return {"error": {"code": self.code, "message": str(self)}}


def bad_request(message: str, code: str = "invalid_request") -> EngineError:
    """A 400."""
    return EngineError(400, code, message)


def not_found(message: str, code: str = "not_found") -> EngineError:
    """A 404."""
    return EngineError(404, code, message)

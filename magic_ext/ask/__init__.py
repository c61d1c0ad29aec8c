"""A question and its course: references become a request, events become an answer."""

from __future__ import annotations

from .course import Course
from .question import Cache, CacheUse, Question, Tip, Watcher

__all__ = ["Cache", "CacheUse", "Course", "Question", "Tip", "Watcher"]

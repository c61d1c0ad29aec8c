"""What has been asked here before: jobs kept in the store while they run and when they have ended."""

from __future__ import annotations

import contextlib
import sqlite3

from magic_ext.wire.content import Json
from magic_ext.wire.steps import Step, decode_steps

from .asked import Asked
from .errors import bad_request, not_found
from .jobs import Job
from .owner import is_alive, this_process
from .store import Store, StoredInteraction

__all__ = ["Archive"]


class Archive:
    """The stored interactions as jobs and chains. Nothing is kept of one that was asked with ``store: false``."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def begin(self, job: Job, asked: Asked) -> None:
        """Note an interaction that this process begins to work on."""
        if asked.store:
            self.store.put(
                StoredInteraction(
                    id=job.id,
                    previous=asked.previous_interaction_id,
                    input=asked.raw_steps,
                    head=job.head,
                    owner=this_process(),
                )
            )

    def note(self, job: Job, asked: Asked, log: tuple[Json, ...]) -> None:
        """Let other processes see how far an interaction has come; one that can't be written goes on all the same."""
        if asked.store:
            with contextlib.suppress(sqlite3.Error, OSError):
                self.store.note(job.id, log)

    def end(self, job: Job, asked: Asked, head: Json, log: tuple[Json, ...]) -> None:
        """Keep an interaction that has ended, whole."""
        if asked.store:
            self.store.end(job.id, head, log)

    def job(self, id: str) -> Job:
        """A stored interaction as a job that has ended; raises a 404 where there is none.

        One that another process still works on has the steps that have ended; one whose process is gone has failed.
        """
        stored = self.store.get(id)
        if stored is None:
            raise not_found(f"No interaction '{id}'.")
        if stored.owner and not is_alive(stored.owner):
            gone = {"code": "aborted", "message": "The process that worked on it has ended."}
            head = {**stored.head, "status": "failed", "errors": [gone]}
            last = {"event_type": "interaction.completed", "interaction": head, "event_id": f"evt_{len(stored.log)}"}
            return Job.ended(head, (*stored.log, last))
        return Job.ended(stored.head, stored.log)

    def input(self, id: str) -> tuple[Json, ...]:
        """The steps that the user sent; none for an interaction that is not stored."""
        stored = self.store.get(id)
        return stored.input if stored is not None else ()

    def chain(self, tip: str) -> tuple[Step, ...]:
        """All steps of the conversation that ends with ``tip``; raises a 404 or 400 for one that can't go on."""
        turns = self.store.chain(tip)
        if not turns:
            raise not_found(f"No interaction '{tip}' to continue.")
        if turns[-1].owner and is_alive(turns[-1].owner):
            raise bad_request(f"The interaction '{tip}' has not ended yet.", "failed_precondition")
        if turns[-1].head.get("status") == "cancelled":
            raise bad_request(f"The interaction '{tip}' was cancelled.", "failed_precondition")
        steps: list[Step] = []
        for turn in turns:
            steps += decode_steps(turn.input)
            steps += decode_steps(Job.ended(turn.head, turn.log).document["steps"])
        return tuple(steps)

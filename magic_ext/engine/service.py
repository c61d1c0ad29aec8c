"""The service: interactions created, read, cancelled and deleted, whoever asks (design section 5)."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from magic_ext.engine.models.base import Model, WritesJson
from magic_ext.wire.content import Json
from magic_ext.wire.steps import Step

from .archive import Archive
from .asked import Asked, check_results, read_body
from .errors import bad_request, not_found
from .files import Files
from .inputs import check_addresses
from .jobs import Job
from .store import Store
from .turn import take_turn
from .workbench import Workbench

if TYPE_CHECKING:
    from magic_ext.runtime.pool import Pool

__all__ = ["Engine", "Models"]

_REMEMBERED = 64  # ended jobs kept in memory, so that their streams can be read again


class Models(msgspec.Struct, frozen=True):
    """The models that an engine serves: the ``names`` that it lists, and ``find``, which may know more of them."""

    names: tuple[str, ...]
    find: Callable[[str], Model | None]


class Engine:
    """Answers requests as the Interactions service does.

    ``local`` admits ``file:`` addresses in a request, which only the process that owns the data may use.
    """

    def __init__(self, *, models: Models, pool: Pool, store: Store, files: Files, local: bool = False) -> None:
        self.models = models
        self.files = files
        self.pool = pool
        self._archive = Archive(store)
        self._local = local
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def create(self, body: object) -> tuple[Job, Asked, Model]:
        """Start an interaction; raises :class:`EngineError` for a request that can't be served."""
        asked = read_body(body)
        check_addresses(asked.steps, self.files, local=self._local)
        model = self.models.find(asked.model)
        if model is None:
            raise not_found(f"The model '{asked.model}' is not served here.", "model_not_found")
        if asked.response_format is not None and not isinstance(model, WritesJson):
            raise bad_request(f"'response_format' with JSON is not supported by {model.name}: it answers in sentences.")
        chain = self._archive.chain(asked.previous_interaction_id) if asked.previous_interaction_id else ()
        check_results(asked.steps, chain)
        job = Job(self._head(asked, model))
        bench = self.workbench(asked, chain, lambda: job.emit(_status(job, "queued")))
        job.on_cancel(bench.interrupt)
        self._archive.begin(job, asked)
        job.on_step = lambda log: self._archive.note(job, asked, log)
        self._remember(job)
        job.emit({"event_type": "interaction.created", "interaction": job.head})
        job.emit(_status(job, "in_progress"))
        work = threading.Thread(
            target=self._work, args=(job, asked, model, bench), name=f"interaction {job.id}", daemon=True
        )
        work.start()
        return job, asked, model

    def workbench(self, asked: Asked, chain: tuple[Step, ...], waiting: Callable[[], None]) -> Workbench:
        """A place to run code, also that of a model elsewhere; ``waiting`` is told when kernels are scarce."""
        return Workbench(self.pool, self.files, asked, chain, waiting)

    def job(self, id: str) -> Job:
        """An interaction as a log to read, running or ended; raises a 404 where there is none."""
        with self._lock:
            job = self._jobs.get(id)
        return job if job is not None else self._archive.job(id)

    def get(self, id: str, *, include_input: bool = False) -> Json:
        """The interaction's document; with ``include_input`` its steps begin with what the user sent."""
        document = self.job(id).document
        if include_input:
            document["steps"] = [*self._archive.input(id), *document["steps"]]
        return document

    def cancel(self, id: str) -> Json:
        """Stop an interaction; returns its document. One that has ended is answered as it is."""
        job = self.job(id)
        if not job.finished:
            job.cancel()
            job.wait(10.0)
        return job.document

    def delete(self, id: str) -> None:
        """Forget an interaction."""
        with self._lock:
            job = self._jobs.pop(id, None)
        if job is not None:
            job.cancel()
        if not self._archive.store.delete(id) and job is None:
            raise not_found(f"No interaction '{id}'.")

    def serves(self, model: str) -> bool:
        """Whether a model of that name answers here."""
        return self.models.find(model) is not None

    def close(self) -> None:
        """Cancel what runs and close the kernels."""
        with self._lock:
            running = [job for job in self._jobs.values() if not job.finished]
        for job in running:
            job.cancel()
        for job in running:
            job.wait(5.0)
        self.pool.close()

    def _head(self, asked: Asked, model: Model) -> Json:
        now = _now()
        head: Json = {
            "id": f"v1_{secrets.token_urlsafe(24)}",
            "object": "interaction",
            "status": "in_progress",
            "model": model.name,
            "created": now,
            "updated": now,
        }
        if asked.previous_interaction_id:
            head["previous_interaction_id"] = asked.previous_interaction_id
        if asked.labels:
            head["labels"] = asked.labels
        return head

    def _work(self, job: Job, asked: Asked, model: Model, bench: Workbench) -> None:
        ending = take_turn(job, asked, model, bench)
        head = {**job.head, "status": ending.status, "updated": _now(), "usage": ending.usage}
        if ending.errors:
            head["errors"] = list(ending.errors)
        if not asked.store:
            with self._lock:
                self._jobs.pop(job.id, None)  # what is not to be kept can't be asked for again
        try:
            # Nobody goes on in a kernel whose code was stopped half-way; what worked is run again where somebody does.
            bench.give_back(job.id if asked.store and ending.status != "cancelled" else None)
            job.finish(head, lambda log: self._archive.end(job, asked, head, log))
        except Exception as error:  # a full disk, say: readers must not wait for ever
            failure = {"code": "api_error", "message": f"The answer could not be stored: {error}"}
            job.finish({**head, "status": "failed", "errors": [failure]})

    def _remember(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.id] = job
            ended = [known.id for known in self._jobs.values() if known.finished]
            for forgotten in ended[:-_REMEMBERED]:
                del self._jobs[forgotten]


def _status(job: Job, status: str) -> Json:
    return {"event_type": "interaction.status_update", "interaction_id": job.id, "status": status}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

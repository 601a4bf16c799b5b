"""Where the chaos worker takes hold of a remote worker: its calls, and its context.

It tells the same as `seams.py` of a local one; what the service has answered is what counts.
"""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from django.core.signing import b64_decode

from jobs.outcomes import Outcome
from jobs.processors.declaration import Processor
from jobs.remote.client import loop, work
from jobs.remote.client.attempt import RemoteContext
from jobs.remote.client.server import LeaseLost, Server
from tests.chaos import points
from tests.chaos.clock import now
from tests.chaos.wrapping import wrap

Job = Mapping[str, Any]
Answer = dict[str, Any]


def install() -> None:
    """Wrap. Once, before the worker starts."""
    wrap(Server, "lease", _lease)
    wrap(Server, "say", _say)
    wrap(Server, "say_once", _say_once)
    wrap(loop, "RemoteContext", _context)
    wrap(work, "_outcome", _outcome)


def _lease(original: Callable[..., Answer]) -> Callable[..., Answer]:
    serving = threading.Event()

    def lease(server: Server, wanted: Mapping[str, Any], wait: float) -> Answer:
        if not wanted["count"]:
            return original(server, wanted, wait)
        threading.current_thread().name = f"{wanted['pool']}-1"  # as that of a local one
        if not serving.is_set():
            serving.set()
            points.here.tell("serving")
        points.here.reach("claim.before")
        began = now()
        try:
            answer = original(server, wanted, wait)
        except BaseException:
            points.here.tell("unanswered", began=began)
            raise
        if jobs := answer.get("jobs"):
            points.here.tell(
                "claim",
                began=began,
                want=wanted["count"],
                got=[(job["id"], _number(job), job["attempt"]) for job in jobs],
            )
            points.here.reach("claim.after_commit")
        return answer

    return lease


def _say(original: Callable[..., Answer]) -> Callable[..., Answer]:
    def say(server: Server, job: Job, what: str, **body: Any) -> Answer:
        points.here.reach("finish.before")
        try:
            answer = original(server, job, what, **body)
        except LeaseLost:
            points.here.tell("settled", jobs=[], lost=[_number(job)])
            raise
        settled = [(job["id"], _number(job), _came_to(what, body))]
        points.here.tell("settled", jobs=settled, lost=[])
        points.here.reach("finish.after_commit")
        return answer

    return say


def _say_once(original: Callable[..., Answer]) -> Callable[..., Answer]:
    def say_once(server: Server, job: Job, what: str, **body: Any) -> Answer:
        points.here.reach("heartbeat.before")
        answer = original(server, job, what, **body)
        points.here.reach("heartbeat.after_commit")
        return answer

    return say_once


def _context(original: Callable[..., RemoteContext]) -> Callable[..., RemoteContext]:
    def context(server: Server, job: Job, renew_seconds: float) -> RemoteContext:
        made = original(server, job, renew_seconds)
        made.attempt = made.attempt._replace(lease=_number(job))
        return made

    return context


def _outcome(original: Callable[..., Outcome]) -> Callable[..., Outcome]:
    def outcome(
        server: Server, context: RemoteContext, processors: Mapping[str, Processor]
    ) -> Outcome:
        made = original(server, context, processors)
        points.here.tell(
            "end", job=context.attempt.id, lease=context.attempt.lease, outcome=type(made).__name__
        )
        points.here.reach("processor.end")
        return made

    return outcome


def _came_to(what: str, body: Mapping[str, Any]) -> str:
    """The name of the outcome that a call tells of."""
    if what == "fail":
        return "Retry" if body["retryable"] else "Failed"
    return {"complete": "Completed", "release": "Interrupted"}[what]


def _number(job: Job) -> int:
    """The queue's number of a lease, which its token has in it for everybody to read."""
    _, number, *_ = json.loads(b64_decode(job["lease"].partition(":")[0].encode()))
    return int(number)

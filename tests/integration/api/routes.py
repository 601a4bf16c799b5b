"""Every route of the API and who may use it: the ONE table. A route that is not here fails.

`SEEN[kind][who]`: `in` when the view answers, else the status that keeps him out.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User

from accounts.models import Token
from accounts.sessions import SessionStore, public_id
from jobs.models import new_id
from jobs.queue import schedules
from jobs.queue.submit import NewJob, submit
from tests.accounts import PASSWORD
from webhooks import deliveries, endpoints

WHO = ("anonymous", "anybody", "other", "owner", "reader", "worker", "staff", "inactive")


def _seen(text: str) -> dict[str, str]:
    return dict(zip(WHO, text.split(), strict=True))


# anybody: nobody by name, where ALLOW_ANONYMOUS is on. inactive: a token of who was shut out.
SEEN = {
    #                  anonymous anybody other owner reader worker staff inactive
    "entry":      _seen("in      in      in    in    in     in     in    in"),
    "public":     _seen("in      in      in    in    in     in     in    401"),
    "signed in":  _seen("401     401     in    in    in     in     in    401"),
    "login":      _seen("401     401     in    in    403    403    in    401"),
    "own token":  _seen("401     401     404   in    403    403    404   401"),
    "read":       _seen("401     in      in    in    in     403    in    401"),
    "submit":     _seen("401     in      in    in    403    403    in    401"),
    "read own":   _seen("401     404     404   in    in     403    in    401"),
    "change own": _seen("401     404     404   in    403    403    in    401"),
    "admin":      _seen("401     401     403   403   403    403    in    401"),
    "account":    _seen("401     401     in    in    403    403    in    401"),
    "work":       _seen("401     401     in    403   403    in     in    401"),
    # Addresses with a signed key of their own, here without it.
    "key":        _seen("403     403     403   403   403    403    403   403"),
}  # fmt: skip

_READ = {"GET": "read", "HEAD": "read"}
_READ_OWN = {"GET": "read own", "HEAD": "read own"}
_PUBLIC = {"GET": "public", "HEAD": "public"}

ROUTES: dict[str, dict[str, str]] = {
    "auth/register": {"POST": "entry"},
    "auth/confirm": {"POST": "entry"},
    "auth/login": {"POST": "entry"},
    "auth/session": {"GET": "entry", "HEAD": "entry", "POST": "entry"},
    "auth/logout": {"POST": "signed in"},
    "auth/logoutall": {"POST": "login"},
    "auth/me": {"GET": "signed in", "HEAD": "signed in"},
    "auth/me/password": {"POST": "login"},
    "auth/me/otp": {"POST": "login"},
    "auth/me/otp/confirm": {"POST": "login"},
    "auth/me/otp/remove": {"POST": "login"},
    "auth/me/otp/recovery-codes": {"POST": "login"},
    "auth/me/sessions": {"GET": "login", "HEAD": "login"},
    "auth/me/sessions/<str:session_id>": {"DELETE": "own token"},
    "auth/password/reset": {"POST": "entry"},
    "auth/password/reset/confirm": {"POST": "entry"},
    "auth/me/tokens": {"GET": "login", "HEAD": "login", "POST": "login"},
    "auth/me/tokens/<str:token_id>": {"DELETE": "own token"},
    "schema": _PUBLIC,
    "submit_job": {"POST": "submit"},
    "job/<str:job_id>/status": _READ_OWN,
    "jobs": {**_READ, "POST": "submit"},
    "jobs/<str:job_id>": {**_READ_OWN, "DELETE": "change own"},
    "jobs/<str:job_id>/cancel": {"POST": "change own"},
    "jobs/<str:job_id>/retry": {"POST": "change own"},
    "jobs/<str:job_id>/replay": {"POST": "change own"},
    "jobs/<str:job_id>/events": _READ_OWN,
    "jobs/batch": {"POST": "submit"},
    "jobs/batch/<str:batch_id>/cancel": {"POST": "change own"},
    "jobs/<str:job_id>/output": _READ_OWN,
    "jobs/<str:job_id>/output/link": {"POST": "read own"},
    "jobs/<str:job_id>/output/shared": {"GET": "key", "HEAD": "key"},
    "jobs/lease": {"POST": "work"},
    "jobs/<str:job_id>/progress": {"POST": "work"},
    "jobs/<str:job_id>/complete": {"POST": "work"},
    "jobs/<str:job_id>/fail": {"POST": "work"},
    "jobs/<str:job_id>/release": {"POST": "work"},
    "jobs/<str:job_id>/lease/source": {"GET": "key", "HEAD": "key"},
    "jobs/<str:job_id>/lease/output": {"PUT": "key"},
    "jobs/dead-letter": {"GET": "admin", "HEAD": "admin"},
    "jobs/retry": {"POST": "admin"},
    "jobs/replay": {"POST": "admin"},
    "jobs/stats": _READ,
    "jobs/stats/counts": _READ,
    "jobs/health": _PUBLIC,
    "jobs/types": _PUBLIC,
    "pools": {"GET": "admin", "HEAD": "admin"},
    "pools/<str:pool>/pause": {"POST": "admin"},
    "pools/<str:pool>/resume": {"POST": "admin"},
    "schedules": {**_READ, "POST": "submit"},
    "schedules/<str:schedule_id>": {
        **_READ_OWN, "PATCH": "change own", "DELETE": "change own",
    },
    "schedules/<str:schedule_id>/pause": {"POST": "change own"},
    "schedules/<str:schedule_id>/resume": {"POST": "change own"},
    "webhooks": {**_READ, "POST": "account"},
    "webhooks/callback-secret": {"POST": "account"},
    "webhooks/deliveries": _READ,
    "webhooks/deliveries/<str:delivery_id>": _READ_OWN,
    "webhooks/deliveries/<str:delivery_id>/replay": {"POST": "change own"},
    "webhooks/<str:endpoint_id>": {**_READ_OWN, "PATCH": "change own", "DELETE": "change own"},
    "webhooks/<str:endpoint_id>/deliveries": _READ_OWN,
    "webhooks/<str:endpoint_id>/replay": {"POST": "change own"},
    "webhooks/<str:endpoint_id>/rotate": {"POST": "change own"},
    "webhooks/<str:endpoint_id>/test": {"POST": "change own"},
}  # fmt: skip
# They read no body, so none can be wrong.
BODILESS = {
    "jobs/<str:job_id>/output/link",
    "jobs/<str:job_id>/lease/output",
    "auth/logout",
    "auth/logoutall",
    "jobs/batch/<str:batch_id>/cancel",
    "jobs/<str:job_id>/cancel",
    "jobs/<str:job_id>/retry",
    "jobs/<str:job_id>/replay",
    "pools/<str:pool>/resume",
    "schedules/<str:schedule_id>/pause",
    "schedules/<str:schedule_id>/resume",
    "webhooks/callback-secret",
    "webhooks/deliveries/<str:delivery_id>/replay",
    "webhooks/<str:endpoint_id>/rotate",
    "webhooks/<str:endpoint_id>/test",
}


def _job(owner: User) -> str:
    return str(submit(NewJob("noop", "a.mp4", "avi", owner_id=owner.pk)).id)


def _batch(owner: User) -> str:
    batch = new_id()
    submit(NewJob("noop", "a.mp4", "avi", owner_id=owner.pk, parent_id=batch))
    return str(batch)


def _schedule(owner: User) -> str:
    made = schedules.create(name="nightly", cron="0 2 * * *", job_type="noop", owner_id=owner.pk)
    return str(made.id)


def _token(owner: User) -> str:
    row, _ = Token.objects.create(owner, name="a program", scopes=["read"])
    return str(row.id)


def _session(owner: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(owner.pk)
    session.save()
    return public_id(str(session.session_key))


def _endpoint(owner: User) -> str:
    return str(endpoints.create(owner, 0, url="https://example.org/hook").id)


def _delivery(owner: User) -> str:
    return str(deliveries.send_test(endpoints.create(owner, 0, url="https://example.org/hook")).id)


# What the addresses name, made for its owner.
OBJECTS: MappingProxyType[str, Callable[[User], str]] = MappingProxyType(
    {
        "<str:job_id>": _job,
        "<str:batch_id>": _batch,
        "<str:schedule_id>": _schedule,
        "<str:token_id>": _token,
        "<str:session_id>": _session,
        "<str:endpoint_id>": _endpoint,
        "<str:delivery_id>": _delivery,
        "<str:pool>": lambda owner: "low",
    }
)
# A body that the view takes, where without one it could refuse before it looks whose it is.
BODIES: dict[str, Any] = {
    "auth/login": {"username": "alice", "password": PASSWORD},
    "jobs": {"job_type": "noop"},
}

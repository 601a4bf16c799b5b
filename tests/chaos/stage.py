"""What a run takes place on: folder, ledger, database, proxy, Redis, web server."""

import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from mediaproc import embedded_postgres
from mediaproc.embedded_postgres import Server
from tests import production
from tests.chaos import history, ledger, plan
from tests.chaos.disk import SmallDisk
from tests.chaos.insist import insist
from tests.chaos.ledger import Ledger
from tests.chaos.plan import DOORS, PULSE_DOOR, SLOTS, Plan, Workforce
from tests.chaos.proxy import Proxy
from tests.chaos.web import Web
from tests.redis_server import RedisServer

_NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"
_START_SECONDS = 180.0  # of a server; nothing is promised of it here
TYPES = ("quick", "wait", "flaky", "broken", "raising", "file", "poison")


@dataclass(frozen=True)
class Stage:
    """All of it, running. token: of who may have everybody's jobs."""

    folder: Path
    records: Path
    ledger_address: str
    ledger: Ledger
    server: Server
    disk: SmallDisk | None
    proxy: Proxy
    redis: RedisServer | None
    environment: dict[str, str]
    mark: str
    web: Web
    token: str

    def worker(self, workforce: Workforce, slot: str) -> tuple[list[str], dict[str, str]]:
        """The arguments of manage.py for the worker in a slot, and its environment."""
        pools = workforce.slots[slot]
        if workforce.door:  # it comes there by HTTP
            [pool] = pools
            asked = ["--server", self.web.address, "--pool", pool, "--types", ",".join(TYPES)]
            nowhere = {"DATABASE_URL": _NOWHERE, "MEDIA_ROOT": "/nonexistent"}
            own = {"REMOTE_WORKER_TOKEN": self.token, "TMPDIR": str(self.folder)}
            return [workforce.command, *asked], {**self.environment, **nowhere, **own}
        queues = [part for pool in pools for part in ("--queue", pool)]
        address = {"DATABASE_URL": self.address_of(slot)}
        return [workforce.command, *queues], {**self.environment, **address}

    def address_of(self, door: str) -> str:
        """The database through a door."""
        return _url(self.proxy, door)


@contextmanager
def built(wanted: Plan, mutant: str) -> Iterator[Stage]:
    """Build a stage for a plan; nothing of it is left afterwards. Sets up Django in this process.

    Raises disk.NotPossible when the plan needs a small disk and this machine gives none.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mediaproc-chaos-")))
        folder.chmod(0o755)  # the server's account goes through it
        disk = stack.enter_context(SmallDisk.mounted(folder / "disk")) if wanted.tmpfs else None
        address, records = stack.enter_context(ledger.keeper(folder))
        own = Ledger(address)
        root = folder / "disk" / "postgres"
        server = embedded_postgres.start(root, timeout=_START_SECONDS)
        stack.callback(embedded_postgres.remove, root)
        stack.callback(server.stop)
        proxy = Proxy(
            server.host / f".s.PGSQL.{server.port}",
            (*SLOTS, *DOORS, PULSE_DOOR),
            lambda door: own.write("fault", kind="ambiguous", slot=door, name="ambiguous"),
        )
        stack.callback(proxy.close)
        redis = stack.enter_context(_redis(folder)) if wanted.redis else None
        mark = f"{random.SystemRandom().randrange(10**6):06}"
        environment = _environment(wanted, folder, redis, mark, mutant, address)
        _prepare(
            environment | {"DATABASE_URL": _url(proxy, "python"), "LOG_LEVEL": "CRITICAL"},
            server,
            mutant,
            own,
        )
        token = insist(_token, "a token for workers", own)
        stack.callback(_let_go)
        web = Web(environment | {"DATABASE_URL": _url(proxy, "api")}, folder / "web.log")
        stack.callback(web.kill)
        web.restart()
        yield Stage(
            folder, records, address, own, server, disk, proxy, redis, environment, mark, web, token
        )


def _url(proxy: Proxy, door: str) -> str:
    return (
        f"postgresql://{Server.user}@127.0.0.1:{proxy.port(door)}/{Server.database}"
        "?sslmode=disable&gssencmode=disable"
    )


def _environment(
    wanted: Plan, folder: Path, redis: RedisServer | None, mark: str, mutant: str, address: str
) -> dict[str, str]:
    (folder / "plan.json").touch()
    wanted.write(folder / "plan.json")
    ours = {
        "DJANGO_SETTINGS_MODULE": "mediaproc.settings",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_SSL_REDIRECT": "False",
        "LOG_FORMAT": "json",
        "PROCESSORS": ",".join(f"tests.chaos.processors.{name}" for name in TYPES),
        "POOLS": plan.POOLS,
        "JOB_LEASE_SECONDS": str(plan.LEASE_SECONDS),
        "JOB_RETRY_SCAN_SECONDS": str(plan.SCAN_SECONDS),
        "JOB_RETRY_DELAY_SECONDS": "0.2",
        "JOB_MAX_LOST_LEASES": str(plan.MOST_LOST_LEASES),
        "WORKER_POLL_SECONDS": str(plan.POLL_SECONDS),
        "WORKER_GRACE_SECONDS": str(plan.GRACE_SECONDS),
        "MEDIA_ROOT": str(folder / "media"),
        "REDIS_URL": redis.url if redis else "",
        "CHAOS_LEDGER": address,
        "CHAOS_PLAN": str(folder / "plan.json"),
        "CHAOS_MUTANT": mutant,
        "CHAOS_MARK": mark,
        **wanted.environment,
    }
    return production.environment(**ours)


def _prepare(environment: dict[str, str], server: Server, mutant: str, own: Ledger) -> None:
    """Tables, functions, history; and the known bug, where one is wanted."""
    os.environ.update(environment)
    import django

    django.setup()
    from django.core.management import call_command

    from tests.chaos.mutants import MUTANTS

    insist(lambda: call_command("migrate", verbosity=0), "migrate", own)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(history.INSTALL)
        # What autovacuum makes of an empty table: the worst that the planner can know.
        connection.execute("VACUUM ANALYZE jobs_job")
        if mutant:
            MUTANTS[mutant].in_database(connection)


def _token() -> str:
    """Of a user of the staff, to work with."""
    from django.contrib.auth.models import User

    from accounts.models import Token
    from accounts.scopes import WORK

    staff, _ = User.objects.get_or_create(username="staff", is_staff=True)
    _, token = Token.objects.create(staff, scopes=[WORK])
    return str(token)


def _let_go() -> None:
    """Nothing of this process may reconnect once the stage comes down."""
    from django.db import connection

    from jobs.queue.signal import announcer

    announcer.close()
    connection.close()


@contextmanager
def _redis(folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()

"""A PostgreSQL of the project's own, for development, tests and one machine.

    from mediaproc import embedded_postgres

    server = embedded_postgres.start(Path("somewhere"))   # about 1 s new, 0.2 s later
    psycopg.connect(server.url)                           # or DATABASE_URL=server.url
    server.restart("immediate"); server.crash()           # what tests do to it
    with server.outage(): ...
    server.stop()                                         # or end, or be killed
    embedded_postgres.remove(server.root)                 # data and all

It takes any folder of PostgreSQL programs (15 to 18). It listens on a unix socket only, in a
directory that nobody but its owner (and root) can enter. Importing this package and calling
`url()` starts nothing and needs neither psycopg nor Django.
"""

from .control import remove, stop
from .errors import EmbeddedPostgresError
from .layout import default_root, socket_directory, url
from .server import Server, start

__all__ = [
    "EmbeddedPostgresError",
    "Server",
    "default_root",
    "remove",
    "socket_directory",
    "start",
    "stop",
    "url",
]

"""A database for each contender, copied from a template that holds its empty tables."""

from typing import Any

import psycopg

from mediaproc.embedded_postgres import Server, url


class Databases:
    """Those of one server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def url(self, name: str) -> str:
        """Of a database, there or not."""
        return url(self._server.root, database=name)

    def create(self, name: str, template: str = "template1") -> None:
        """Make it anew."""
        with self.connect("postgres") as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    def connect(self, name: str) -> psycopg.Connection[Any]:
        """A connection that commits each statement."""
        return psycopg.connect(self.url(name), autocommit=True)

    def run(self, name: str, statement: str) -> None:
        """Run one statement."""
        with self.connect(name) as connection:
            connection.execute(statement.encode())

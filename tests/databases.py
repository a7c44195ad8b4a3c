"""A PostgreSQL server of the test's own: no network, no rights, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "postgres"


@contextmanager
def postgresql() -> Iterator[str]:
    """Start a server that listens on a Unix socket only and give its URL, or skip the test."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("no PostgreSQL under /usr/lib/postgresql (apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path must be short
    as_account: list[str] = []
    if os.getuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, ACCOUNT)
        as_account = ["runuser", "-u", ACCOUNT, "--"]
    binaries, data = found[-1].parent, folder / "data"

    def run(program: str, *arguments: str) -> None:
        command = [*as_account, str(binaries / program), "-D", str(data), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)

    # English orders text unlike code points do, so a query that leans on the server's order shows.
    english = ("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
    run("initdb", "-U", ACCOUNT, "-A", "trust", "-E", "UTF8", "--no-sync", *english)
    settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", settings)
    try:
        yield f"postgresql://{ACCOUNT}@/postgres?host={folder}"
    finally:
        run("pg_ctl", "stop", "-m", "immediate")
        shutil.rmtree(folder, ignore_errors=True)


def database(server: str, *, template: str | None = None, owner: str | None = None) -> str:
    """Make an empty database, or a copy of another, and give its URL; ``owner`` is a role."""
    name = f"t{uuid.uuid4().hex[:12]}"
    engine = create_engine(server.replace("postgresql:", "postgresql+psycopg:"))
    like = f" TEMPLATE {template}" if template else ""
    whose = f" OWNER {owner}" if owner else ""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}{whose}{like}"))
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")

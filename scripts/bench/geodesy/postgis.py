"""A throw-away PostGIS server on a unix socket, and what the radius benchmark asks it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

SETTINGS = (
    "listen_addresses='' fsync=off jit=off shared_buffers=512MB work_mem=128MB "
    "max_parallel_workers_per_gather=0 max_parallel_maintenance_workers=0"
)
NEAREST = """
    select p.i, n.i, n.metres <= %s from points p cross join lateral
    (select o.i, ST_Distance(p.g, o.g) metres from offices o order by p.g <-> o.g limit 1) n
"""
WITHIN = """
    select p.i, -1, exists (select 1 from offices o where ST_DWithin(p.g, o.g, %s)) from points p
"""


def find_programs() -> Path | None:
    """The folder of a PostgreSQL that has PostGIS, or None."""
    folders = [Path(found).resolve().parent] if (found := shutil.which("initdb")) else []
    for folder in [*folders, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]:
        asked = (
            subprocess.run(
                [folder / "pg_config", "--sharedir"], capture_output=True, text=True, check=False
            )
            if (folder / "pg_config").exists()
            else None
        )
        shares = [Path(asked.stdout.strip())] if asked else []
        shares.append(Path("/usr/share/postgresql") / folder.parent.name)
        if any((share / "extension" / "postgis.control").exists() for share in shares):
            return folder
    return None


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Path]:
    """Run a server in ``folder`` while the block lasts; yields the folder of its socket.

    Root may not run PostgreSQL, so it becomes the user ``postgres`` for it.
    """
    programs = find_programs()
    if programs is None:
        raise FileNotFoundError("no PostgreSQL with PostGIS (Debian: postgresql-15-postgis-3)")
    home = folder / "postgis"
    home.mkdir()
    user = {}
    if os.geteuid() == 0:
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        folder.chmod(0o755)
        shutil.chown(home, "postgres", "postgres")

    def run(program: str, *arguments: str) -> None:
        command = [programs / program, "-D", home / "data", *arguments]
        subprocess.run(command, check=True, cwd=home, stdout=subprocess.DEVNULL, **user)

    options = "".join(f" -c {setting}" for setting in SETTINGS.split())
    run("initdb", "--auth=trust", "--username=postgres")
    run("pg_ctl", "-w", "-l", str(home / "log"), "-o", f"-k {home}{options}", "start")
    try:
        yield home
    finally:
        run("pg_ctl", "-w", "-m", "fast", "stop")


class Asker:
    """Puts a world of points and offices into tables, then asks; loading is off the clock."""

    def __init__(self, socket: str, limit_m: float, *, nearest: bool) -> None:
        import psycopg

        self._connection = psycopg.connect(
            host=socket, user="postgres", dbname="postgres", autocommit=True
        )
        self._connection.execute("create extension if not exists postgis")
        self._limit_m, self._query = limit_m, NEAREST if nearest else WITHIN

    def load(self, world: Any) -> None:
        """Write the tables, with an index on each and fresh statistics."""
        self._fill("points", world.lon, world.lat)
        self._fill("offices", world.office_lon, world.office_lat)

    def ask(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Verdicts and positions of the nearest offices (-1: not asked), in the order of points."""
        rows = self._connection.execute(self._query, [self._limit_m]).fetchall()
        point, office, within = map(np.array, zip(*rows, strict=True))
        order = np.argsort(point)
        return within[order], office[order]

    def server_cpu(self) -> float:
        """Seconds of CPU that the server has spent on this connection."""
        status = Path(f"/proc/{self._connection.info.backend_pid}/stat").read_text()
        user, system = status.rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _fill(self, table: str, lon: npt.ArrayLike, lat: npt.ArrayLike) -> None:
        from psycopg import sql

        name = sql.Identifier(table)
        run = self._connection.execute
        run(sql.SQL("drop table if exists {}").format(name))
        run(sql.SQL("create unlogged table {} (i int, g geography)").format(name))
        with (
            self._connection.cursor() as cursor,
            cursor.copy(sql.SQL("copy {} from stdin").format(name)) as copy,
        ):
            for i, (x, y) in enumerate(zip(np.asarray(lon), np.asarray(lat), strict=True)):
                copy.write_row((i, f"SRID=4326;POINT({float(x)!r} {float(y)!r})"))
        run(sql.SQL("create index on {} using gist (g)").format(name))
        run(sql.SQL("vacuum analyze {}").format(name))

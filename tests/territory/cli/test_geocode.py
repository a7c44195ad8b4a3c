"""``territory geocode`` against a real server: stopped, killed, resumed, failed, refused."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from territory import imports
from territory.cli import main as cli
from territory.geocoding import review
from territory.policy import read_policy
from territory.store import Store, open_store
from tests.fixtures.geocoder_server import Geocoder, Handler, geocoder, nominatim
from tests.fixtures.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from click.testing import Result

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TERRITORY = Path(sys.executable).with_name("territory")


@pytest.fixture
def server() -> Iterator[Geocoder]:
    """A server that knows every house in Elm Street."""
    with geocoder() as running:
        running.behave = knows_every_house
        yield running


def knows_every_house(handler: Handler) -> None:
    number = handler.server.lines[-1].split()[0]
    handler.reply([nominatim(-116.2, 43.615, address={"house_number": number})])


def filled(folder: Path, number: int) -> Store:
    """A store with so many houses in Elm Street."""
    path = folder / "elm.csv"
    rows = [f"p{i},P{i},{i} Elm St,Boise,ID,83702" for i in range(1, number + 1)]
    path.write_text("\n".join(["prospect_id,name,street,city,state,postal_code", *rows]))
    store = open_store(f"sqlite:///{folder}/store.sqlite")
    imports.import_file(store, "prospects", path, by="Ops", now=NOW)
    return store


def placed(store: Store) -> int:
    with store.read() as transaction:
        rows: pd.DataFrame = transaction.table("prospects")
    return int((rows["placement"] == "placed").sum())


class _Main:
    """What CliRunner needs to run ``main``, exit codes and all."""

    name = "territory"

    def main(self, args: list[str], **_: object) -> None:
        cli.main(args)


def call(store: Store, *arguments: str) -> Result:
    return CliRunner(env={"TERRITORY_STORE": store.url}).invoke(
        _Main(), ["geocode", *arguments], prog_name="territory"
    )


def written(server: Geocoder, folder: Path, name: str = "nominatim") -> str:
    """A policy file that asks this server and nobody else."""
    path = folder / "policy.toml"
    path.write_text(
        f'[[geocoding.online.providers]]\nname = "{name}"\ndomain = "{server.domain}"\n'
        'scheme = "http"\nmin_delay_s = 0.01\nretries = 0\n'
    )
    return str(path)


def test_a_run_that_is_stopped_keeps_what_was_answered(tmp_path: Path, server: Geocoder) -> None:
    def stop(handler: Handler) -> None:
        if len(server.asked) == 5:
            # As Ctrl+C does; a signal to the process may reach a thread that is not waiting.
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            time.sleep(0.2)
        knows_every_house(handler)

    policy = read_policy(Path(written(server, tmp_path)))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # others may have set it
    with filled(tmp_path, 8) as store:
        server.behave = stop
        with pytest.raises(KeyboardInterrupt):
            review.geocode(store, by="Ops", now=NOW, policy=policy)
        signal.signal(signal.SIGINT, before)
        assert placed(store) == 4
        server.behave = knows_every_house
        assert review.geocode(store, by="Ops", now=NOW, policy=policy).requests == 4
        assert placed(store) == 8


def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path: Path, server: Geocoder) -> None:
    policy = written(server, tmp_path)
    with filled(tmp_path, 60) as store:
        command = [str(TERRITORY), "--store", store.url, "geocode", "--policy", policy]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until(lambda: len(server.asked) >= 25)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        time.sleep(0.05)  # what it sent last has arrived
        asked, kept = len(server.asked), placed(store)
        assert 25 <= asked < 60
        assert asked - 11 <= kept <= asked  # at most a batch, and what was under way, is lost
        done = call(store, "--policy", policy, "--json")
        assert done.exit_code == 0, done.stderr
        told = json.loads(done.stdout)
        assert (told["addresses"], told["left"]) == (60 - kept, 0)
        assert len(server.asked) == asked + 60 - kept
        assert placed(store) == 60


def test_the_command_says_what_failed_and_ends_with_exit_code_1(
    tmp_path: Path, server: Geocoder
) -> None:
    server.behave = lambda handler: handler.reply("down", 503)
    policy = written(server, tmp_path, "photon")
    with filled(tmp_path, 4) as store:
        failed = call(store, "--policy", policy, "--provider", "photon", "--by", "Ann", "--json")
    told = json.loads(failed.stdout)
    assert failed.exit_code == 1
    assert (told["by"], told["found"], told["pending"]) == ("Ann", 0, 4)
    assert told["errors"][0].startswith("photon left 4 of 4 addresses unanswered")


def test_the_command_refuses_what_cannot_be_asked_and_plans_what_can(tmp_path: Path) -> None:
    with filled(tmp_path, 4) as store:
        nobody = call(store)
        unknown = call(store, "--provider", "nomnom")
        planned = call(store, "--provider", "nominatim", "--dry-run")
    assert nobody.exit_code == 2
    assert nobody.stderr.startswith("territory: No online geocoder is named.")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "geopy has no geocoder 'nomnom'" in unknown.stderr
    assert (planned.exit_code, len(planned.stdout.splitlines())) == (0, 1)
    assert planned.stdout.endswith("would ask nominatim about 4 of them. Nobody was asked.\n")

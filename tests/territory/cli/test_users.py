"""The commands for users and tokens: a shell on the verbs, nothing personal in an error."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from territory.access import audit_log, sessions, sign_in, users
from territory.store import open_store
from tests.fixtures.access_drawn import PASSWORD, add_reps, empty_file
from tests.territory.cli.test_main import call

if TYPE_CHECKING:
    from pathlib import Path

ANN = ("user", "add", "ann@example.com", "--name", "Ann Ash")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = empty_file(tmp_path)
    with open_store(str(path)) as store:
        add_reps(store, "R1", "R2")
    return path


def secret_in(told: str) -> str:
    found = re.search(r"#(\S+)", told)
    assert found is not None
    return found[1]


def test_the_first_admin_comes_in_by_the_link_that_the_command_prints(file: Path) -> None:
    done = call(*ANN, "--role", "admin", store=file)
    assert done.exit_code == 0
    assert "http://127.0.0.1:8000/sign-in/link#" in done.stdout
    assert "once, on this machine only, until" in done.stdout
    now, secret = datetime.now(UTC), secret_in(done.stdout)
    with open_store(str(file)) as store:
        sign_in.reset_password(store, secret, PASSWORD, is_loopback=True, address=None, now=now)
        signed = sign_in.sign_in(store, "ann@example.com", PASSWORD, address=None, now=now)
        who = sessions.viewer_of_session(store, signed.secret, now=now)
        assert who is not None
        assert who.roles == frozenset({"admin"})
        assert secret not in audit_log.search(store, limit=None)[0].to_csv()


def test_users_are_listed_changed_shut_out_and_let_in_again(file: Path) -> None:
    assert call(*ANN, "--role", "rep", "--rep", "R1", store=file).exit_code == 0
    listed = call("user", "list", store=file)
    assert "user-1  ann@example.com  Ann Ash  rep  is R1" in listed.stdout
    assert listed.stdout.endswith("1 users, 1 of them active.\n")
    manager = ("--role", "manager", "--manages", "R1", "--manages", "R2", "--role", "viewer")
    done = call("user", "role", "Ann@example.com", *manager, store=file)
    assert done.stdout == "user-1 is manager, viewer.\n"
    assert "manages R1,R2" in call("user", "list", store=file).stdout
    assert "deactivated" in call("user", "disable", "ann@example.com", store=file).stdout
    (told,) = json.loads(call("user", "list", "--json", store=file).stdout)
    assert (told["is_active"], told["managed_rep_ids"]) == (False, ["R1", "R2"])
    undone = call("user", "disable", "ann@example.com", "--undo", store=file)
    assert "may sign in again" in undone.stdout


def test_links_are_printed_for_signing_in_and_for_a_new_password(file: Path) -> None:
    call(*ANN, "--role", "ops", store=file)
    url = ("--base-url", "https://maps.example.com/", "--anywhere")
    reset = call("user", "reset", "ann@example.com", *url, store=file)
    assert reset.stdout.startswith("https://maps.example.com/sign-in/link#")
    assert "from anywhere" in reset.stdout
    told = json.loads(call("user", "link", "ann@example.com", "--json", store=file).stdout)
    assert (told["purpose"], told["loopback_only"]) == ("sign_in", True)
    with open_store(str(file)) as store:
        signed = sign_in.sign_in_by_link(
            store, secret_in(told["link"]), is_loopback=True, address=None, now=datetime.now(UTC)
        )
        assert signed.user_id == "user-1"


def test_an_identity_at_company_sign_on_is_linked_and_forgotten(file: Path) -> None:
    call(*ANN, "--role", "ops", store=file)
    identity = ("user", "identity", "ann@example.com")
    done = call(*identity, "--issuer", "https://id.example.com", "--subject", "7", store=file)
    assert done.stdout == "user-1 may come in through https://id.example.com.\n"
    told = sign_in.Identity("https://id.example.com", "7", "", "")
    with open_store(str(file)) as store:
        now = datetime.now(UTC)
        signed = sign_in.sign_in_by_identity(store, told, groups=None, address=None, now=now)
        assert signed.user_id == "user-1"
    assert call(*identity, "--forget", store=file).stdout.startswith("1 identities")


def test_tokens_are_made_listed_and_revoked(file: Path) -> None:
    call(*ANN, "--role", "ops", store=file)
    make = ("token", "new", "ann@example.com", "--name", "reports", "--scope", "see_sums")
    made = call(*make, store=file)
    secret, sentence = made.stdout.splitlines()
    assert secret.startswith("territory_")
    assert sentence.startswith("token-1, until ")
    call(*make, "--json", store=file)
    assert "Shown this once" in sentence
    assert call("token", "revoke", "token-1", store=file).exit_code == 0
    listed = call("token", "list", store=file)
    assert "token-1  user-1  revoked" in listed.stdout
    assert "token-2  user-1  good" in listed.stdout
    assert listed.stdout.endswith("2 tokens, 1 of them good.\n")
    assert secret not in listed.stdout + call("token", "list", "--json", store=file).stdout


def test_the_policy_is_shown_and_what_is_named_changes(file: Path) -> None:
    assert "Reps see own accounts only" in call("user", "policy", store=file).stdout
    done = call("user", "policy", "--reps-see-names", "--idle-minutes", "30", store=file)
    assert "Reps see the names of others' accounts" in done.stdout
    assert "after 30 minutes unused and 12 hours in all" in done.stdout
    with open_store(str(file)) as store:
        assert users.access_policy(store).reps_see_names
    back = json.loads(call("user", "policy", "--reps-see-own", "--json", store=file).stdout)
    assert (back["reps_see_names"], back["session_idle_s"]) == (False, 1800)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((*ANN, "--role", "king"), "'king' is not one of"),
        ((*ANN, "--role", "rep"), "Choose which rep this user is"),
        ((*ANN, "--role", "rep", "--rep", "R9"), "No rep 'R9'"),
        (("user", "disable", "ann@example.com"), "There is no such user"),
        (("user", "identity", "ann@example.com"), "or --forget"),
        (("user", "policy", "--idle-minutes", "0"), "session_idle_s = 0"),
        (("token", "new", "ann@example.com", "--name", "x", "--scope", "y"), "no such user"),
        (("token", "revoke", "token-9"), "There is no such token"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    file: Path, arguments: tuple[str, ...], told: str
) -> None:
    done = call(*arguments, store=file)
    assert (done.exit_code, told in done.stderr, done.stderr.count("\n")) == (2, True, 1)
    assert "ann" not in done.stderr.casefold()


@pytest.mark.parametrize(
    "command",
    [
        "user", "user add", "user list", "user role", "user disable", "user reset", "user link",
        "user identity", "user policy", "token", "token new", "token list", "token revoke",
    ],
)  # fmt: skip
def test_every_command_has_help_with_an_example(command: str, tmp_path: Path) -> None:
    done = call(*command.split(), "--help", store=tmp_path / "none.sqlite")
    assert done.exit_code == 0
    assert f"territory {command}" in done.stdout.split("Example")[1]

"""Users, sessions, links, tokens, and an audit log that the database lets nobody rewrite."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ANCHOR = "0:" + "0" * 64
REFUSAL = "the audit log only grows"
# A later number is refused too: "INSERT OR REPLACE" would rewrite a row past the other triggers.
TAKEN = "EXISTS (SELECT 1 FROM audit_events WHERE number >= NEW.number)"
PAYLOAD_TAKEN = "EXISTS (SELECT 1 FROM audit_payloads WHERE number = NEW.number)"
NOT_PURGED = """NOT EXISTS (
    SELECT 1 FROM audit_events
    WHERE action = 'audit.purge' AND CAST(subject_id AS INTEGER) >= OLD.number)"""
SQLITE = """
    CREATE TRIGGER %(table)s_%(verb)s BEFORE %(verb)s ON %(table)s WHEN %(condition)s
    BEGIN SELECT RAISE(ABORT, '%(refusal)s'); END
"""
POSTGRESQL_FUNCTIONS = """
    CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '%(refusal)s';
    END $$;
    CREATE FUNCTION check_audit_event() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF %(taken)s THEN RAISE EXCEPTION '%(refusal)s'; END IF;
        RETURN NEW;
    END $$;
    CREATE FUNCTION check_audit_purge() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF %(not_purged)s THEN RAISE EXCEPTION '%(refusal)s'; END IF;
        RETURN OLD;
    END $$;
    CREATE TRIGGER audit_events_grow BEFORE INSERT ON audit_events
    FOR EACH ROW EXECUTE FUNCTION check_audit_event();
    CREATE TRIGGER audit_events_frozen BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
    CREATE TRIGGER audit_events_whole BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
    CREATE TRIGGER audit_payloads_frozen BEFORE UPDATE ON audit_payloads
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
    CREATE TRIGGER audit_payloads_purged BEFORE DELETE ON audit_payloads
    FOR EACH ROW EXECUTE FUNCTION check_audit_purge();
    CREATE TRIGGER audit_payloads_whole BEFORE TRUNCATE ON audit_payloads
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
"""


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], ["users.user_id"], name=f"fk_{table}_user_id", ondelete="CASCADE"
    )


def upgrade() -> None:
    _users()
    _ways_in()
    _audit_log()
    _guard()


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("login", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("password_hash", TEXT, nullable=True),
        sa.Column("rep_id", TEXT, nullable=True),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("disabled_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("user_id", name="pk_users"),
        sa.UniqueConstraint("login", name="uq_users_login"),
        sa.UniqueConstraint("number", name="uq_users_number"),
    )
    op.create_table(
        "user_roles",
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        _of_user("user_roles"),
        sa.PrimaryKeyConstraint("user_id", "role", name="pk_user_roles"),
    )
    op.create_table(
        "user_reps",
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("rep_id", TEXT, nullable=False),
        _of_user("user_reps"),
        sa.PrimaryKeyConstraint("user_id", "rep_id", name="pk_user_reps"),
    )
    op.create_table(
        "identities",
        sa.Column("issuer", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("linked_at", TEXT, nullable=False),
        sa.Column("linked_by", TEXT, nullable=False),
        _of_user("identities"),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_identities"),
    )
    op.create_index("ix_identities_user_id", "identities", ["user_id"], unique=False)


def _ways_in() -> None:
    op.create_table(
        "sessions",
        sa.Column("session_hash", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("method", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("seen_at", TEXT, nullable=False),
        sa.Column("expires_at", TEXT, nullable=False),
        sa.Column("ended_at", TEXT, nullable=True),
        _of_user("sessions"),
        sa.PrimaryKeyConstraint("session_hash", name="pk_sessions"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"], unique=False)
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"], unique=False)
    op.create_table(
        "sign_in_links",
        sa.Column("link_hash", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("loopback_only", sa.Boolean(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("expires_at", TEXT, nullable=False),
        sa.Column("used_at", TEXT, nullable=True),
        _of_user("sign_in_links"),
        sa.PrimaryKeyConstraint("link_hash", name="pk_sign_in_links"),
    )
    op.create_index("ix_sign_in_links_user_id", "sign_in_links", ["user_id"], unique=False)
    op.create_index("ix_sign_in_links_expires_at", "sign_in_links", ["expires_at"], unique=False)
    op.create_table(
        "api_tokens",
        sa.Column("token_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("token_hash", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("expires_at", TEXT, nullable=False),
        sa.Column("seen_at", TEXT, nullable=True),
        sa.Column("revoked_at", TEXT, nullable=True),
        _of_user("api_tokens"),
        sa.PrimaryKeyConstraint("token_id", name="pk_api_tokens"),
        sa.UniqueConstraint("number", name="uq_api_tokens_number"),
        sa.UniqueConstraint("token_hash", name="uq_api_tokens_token_hash"),
    )
    op.create_index("ix_api_tokens_user_id", "api_tokens", ["user_id"], unique=False)
    op.create_table(
        "sign_in_attempts",
        sa.Column("key_hash", TEXT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("last_at", TEXT, nullable=False),
        sa.Column("locked_until", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("key_hash", name="pk_sign_in_attempts"),
    )
    op.create_index("ix_sign_in_attempts_last_at", "sign_in_attempts", ["last_at"], unique=False)


def _audit_log() -> None:
    op.create_table(
        "audit_events",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("subject_kind", TEXT, nullable=False),
        sa.Column("subject_id", TEXT, nullable=False),
        sa.Column("payload_hash", TEXT, nullable=True),
        sa.Column("previous_hash", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_events"),
    )
    for name, columns in (
        ("at", ["at"]),
        ("by", ["by"]),
        ("action", ["action"]),
        ("subject_kind_subject_id", ["subject_kind", "subject_id"]),
    ):
        op.create_index(f"ix_audit_events_{name}", "audit_events", columns, unique=False)
    op.create_table(
        "audit_payloads",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("salt", TEXT, nullable=False),
        sa.Column("payload", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["audit_events.number"], name="fk_audit_payloads_number"
        ),
        sa.PrimaryKeyConstraint("number", name="pk_audit_payloads"),
    )
    settings = sa.table("settings", sa.column("name"), sa.column("value"))
    op.bulk_insert(settings, [{"name": "audit_anchor", "value": ANCHOR}])


def _guard() -> None:
    if op.get_bind().dialect.name == "postgresql":
        words = {"refusal": REFUSAL, "taken": TAKEN, "not_purged": NOT_PURGED}
        op.execute(POSTGRESQL_FUNCTIONS.strip() % words)
        return
    for table, verb, condition in (
        ("audit_events", "INSERT", TAKEN),
        ("audit_events", "UPDATE", "true"),
        ("audit_events", "DELETE", "true"),
        ("audit_payloads", "INSERT", PAYLOAD_TAKEN),
        ("audit_payloads", "UPDATE", "true"),
        ("audit_payloads", "DELETE", NOT_PURGED),
    ):
        words = {"table": table, "verb": verb, "condition": condition, "refusal": REFUSAL}
        op.execute(SQLITE.strip() % words)

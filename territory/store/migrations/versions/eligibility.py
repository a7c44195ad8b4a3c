"""The register of eligibility: policies, decisions that never change, exceptions."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
DECIDED = "a decision on record never changes: decide again"
PUBLISHED = "a published policy never changes: publish another version"
SQLITE = """
    CREATE TRIGGER %(table)s_%(verb)s BEFORE %(verb)s ON %(table)s WHEN %(condition)s
    BEGIN SELECT RAISE(ABORT, '%(refusal)s'); END
"""
POSTGRESQL = """
    CREATE FUNCTION refuse_%(table)s() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '%(refusal)s';
    END $$;
    CREATE TRIGGER %(table)s_frozen BEFORE UPDATE OR DELETE ON %(table)s
    FOR EACH ROW WHEN (%(condition)s) EXECUTE FUNCTION refuse_%(table)s();
"""
# "INSERT OR REPLACE" would rewrite a row past the other triggers.
TAKEN = """EXISTS (
    SELECT 1 FROM eligibility_decisions
    WHERE decision_id = NEW.decision_id OR number = NEW.number OR digest = NEW.digest)"""
FROZEN = (
    ("eligibility_decisions", "OLD.number IS NOT NULL", DECIDED),
    ("eligibility_policies", "OLD.status = 'published'", PUBLISHED),
)


def upgrade() -> None:
    op.create_table(
        "eligibility_policies",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("saved_at", TEXT, nullable=False),
        sa.Column("saved_by", TEXT, nullable=False),
        sa.Column("published_at", TEXT, nullable=True),
        sa.Column("published_by", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("name", "version", name="pk_eligibility_policies"),
        sa.UniqueConstraint("number", name="uq_eligibility_policies_number"),
    )
    op.create_table(
        "eligibility_decisions",
        sa.Column("decision_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subject", TEXT, nullable=True),
        sa.Column("home", TEXT, nullable=True),
        sa.Column("role", TEXT, nullable=True),
        sa.Column("decided_on", TEXT, nullable=False),
        sa.Column("decided_at", TEXT, nullable=False),
        sa.Column("decided_by", TEXT, nullable=False),
        sa.Column("policy_name", TEXT, nullable=False),
        sa.Column("policy_version", TEXT, nullable=False),
        sa.Column("decision", TEXT, nullable=False),
        sa.Column("basis", TEXT, nullable=False),
        sa.Column("office_id", TEXT, nullable=True),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("record", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("decision_id", name="pk_eligibility_decisions"),
        sa.UniqueConstraint("digest", name="uq_eligibility_decisions_digest"),
        sa.UniqueConstraint("number", name="uq_eligibility_decisions_number"),
    )
    op.create_table(
        "eligibility_exceptions",
        sa.Column("exception_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("policy_name", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("approver", TEXT, nullable=False),
        sa.Column("granted_on", TEXT, nullable=False),
        sa.Column("expires_on", TEXT, nullable=False),
        sa.Column("set_at", TEXT, nullable=False),
        sa.Column("set_by", TEXT, nullable=False),
        sa.Column("revoked_at", TEXT, nullable=True),
        sa.Column("revoked_by", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("exception_id", name="pk_eligibility_exceptions"),
        sa.UniqueConstraint("number", name="uq_eligibility_exceptions_number"),
    )
    for table, columns in (
        ("eligibility_decisions", ["subject", "number"]),
        ("eligibility_decisions", ["policy_name", "number"]),
        ("eligibility_decisions", ["decided_on"]),
        ("eligibility_exceptions", ["policy_name", "subject"]),
    ):
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns, unique=False)
    for table, condition, refusal in FROZEN:
        words = {"table": table, "condition": condition, "refusal": refusal}
        if op.get_bind().dialect.name == "postgresql":
            op.execute((POSTGRESQL % words).strip())
            continue
        for verb in ("UPDATE", "DELETE"):
            op.execute((SQLITE % {**words, "verb": verb}).strip())
    if op.get_bind().dialect.name == "sqlite":
        words = {"table": "eligibility_decisions", "condition": TAKEN, "refusal": DECIDED}
        op.execute((SQLITE % {**words, "verb": "INSERT"}).strip())

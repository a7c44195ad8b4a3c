"""A decision's record may be replaced once: by one without exact measures."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

DECIDED = "a decision on record never changes: decide again"
KEPT = (
    "decision_id", "number", "subject", "home", "role", "decided_on", "decided_at", "decided_by",
    "policy_name", "policy_version", "decision", "basis", "office_id",
)  # fmt: skip
FORMAT = '%%"format":"territory eligibility decision %d"%%'
SQLITE = """
    CREATE TRIGGER eligibility_decisions_UPDATE BEFORE UPDATE ON eligibility_decisions
    WHEN NOT (%(replaces)s) BEGIN SELECT RAISE(ABORT, '%(refusal)s'); END
"""
POSTGRESQL = """
    DROP TRIGGER IF EXISTS eligibility_decisions_frozen ON eligibility_decisions;
    CREATE TRIGGER eligibility_decisions_frozen BEFORE DELETE ON eligibility_decisions
    FOR EACH ROW EXECUTE FUNCTION refuse_eligibility_decisions();
    CREATE TRIGGER eligibility_decisions_update BEFORE UPDATE ON eligibility_decisions
    FOR EACH ROW WHEN (NOT (%(replaces)s)) EXECUTE FUNCTION refuse_eligibility_decisions();
"""


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    same = "IS" if is_sqlite else "IS NOT DISTINCT FROM"
    conditions = [f"NEW.{name} {same} OLD.{name}" for name in KEPT]
    conditions += [f"OLD.record LIKE '{FORMAT % 1}'", f"NEW.record LIKE '{FORMAT % 2}'"]
    words = {"replaces": " AND ".join(conditions), "refusal": DECIDED}
    if is_sqlite:
        op.execute("DROP TRIGGER IF EXISTS eligibility_decisions_UPDATE")
        op.execute(sa.text((SQLITE % words).strip().replace(":", r"\:")))
        return
    op.execute(sa.text((POSTGRESQL % words).strip().replace(":", r"\:")))

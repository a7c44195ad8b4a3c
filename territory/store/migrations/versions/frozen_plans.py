"""Published plans never change: the database itself refuses."""

from alembic import op

revision = "0002"
down_revision = "0001"

# What belongs to a plan, and is frozen with it.
PARTS = (
    "plan_markets",
    "plan_territories",
    "plan_named_accounts",
    "plan_reps",
    "plan_offices",
    "plan_assignments",
    "plan_findings",
)
REFUSAL = "a published plan never changes: publish a new one"
SQLITE_PART = """
    CREATE TRIGGER %(part)s_%(verb)s BEFORE %(verb)s ON %(part)s
    WHEN EXISTS (SELECT 1 FROM plans WHERE plan_id = %(row)s.plan_id AND status = 'published')
    BEGIN SELECT RAISE(ABORT, '%(refusal)s'); END
"""
SQLITE_PLAN = """
    CREATE TRIGGER plans_%(verb)s BEFORE %(verb)s ON plans WHEN OLD.status = 'published'
    BEGIN SELECT RAISE(ABORT, '%(refusal)s'); END
"""
POSTGRESQL_FUNCTIONS = """
    CREATE FUNCTION refuse_published() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '%(refusal)s';
    END $$;
    CREATE FUNCTION refuse_part_of_published() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        part record;
    BEGIN
        IF TG_OP = 'INSERT' THEN part := NEW; ELSE part := OLD; END IF;
        IF EXISTS (SELECT 1 FROM plans WHERE plan_id = part.plan_id AND status = 'published') THEN
            RAISE EXCEPTION '%(refusal)s';
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER plans_frozen BEFORE UPDATE OR DELETE ON plans FOR EACH ROW
    WHEN (OLD.status = 'published') EXECUTE FUNCTION refuse_published();
"""
POSTGRESQL_PART = """
    CREATE TRIGGER %(part)s_frozen BEFORE INSERT OR UPDATE OR DELETE ON %(part)s
    FOR EACH ROW EXECUTE FUNCTION refuse_part_of_published()
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _run(POSTGRESQL_FUNCTIONS, refusal=REFUSAL)
        for part in PARTS:
            _run(POSTGRESQL_PART, part=part)
        return
    for part in PARTS:
        for verb, row in (("INSERT", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD")):
            _run(SQLITE_PART, part=part, verb=verb, row=row, refusal=REFUSAL)
    for verb in ("UPDATE", "DELETE"):
        _run(SQLITE_PLAN, verb=verb, refusal=REFUSAL)


def _run(template: str, **words: str) -> None:
    op.execute(template.strip() % words)

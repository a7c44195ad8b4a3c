"""The first tables: what is imported, and plans with all that they are made of."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "markets",
        sa.Column("market_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("units", TEXT, nullable=True),
        sa.Column("geometry", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("market_id", name="pk_markets"),
    )
    op.create_table(
        "named_accounts",
        sa.Column("prospect_id", TEXT, nullable=False),
        sa.Column("territory_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("prospect_id", name="pk_named_accounts"),
    )
    op.create_table(
        "offices",
        sa.Column("office_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("street", TEXT, nullable=True),
        sa.Column("city", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=True),
        sa.Column("postal_code", TEXT, nullable=True),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("given_lat", sa.Double(), nullable=True),
        sa.Column("given_lon", sa.Double(), nullable=True),
        sa.Column("opened_on", TEXT, nullable=True),
        sa.Column("closed_on", TEXT, nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("precision", TEXT, nullable=True),
        sa.Column("uncertainty_m", sa.Double(), nullable=True),
        sa.Column("geocode_source", TEXT, nullable=True),
        sa.Column("geocode_note", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("office_id", name="pk_offices"),
    )
    op.create_table(
        "plans",
        sa.Column("plan_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("effective_from", TEXT, nullable=False),
        sa.Column("published_at", TEXT, nullable=True),
        sa.Column("published_by", TEXT, nullable=True),
        sa.Column("policy_name", TEXT, nullable=False),
        sa.Column("policy_version", TEXT, nullable=False),
        sa.Column("policy", TEXT, nullable=False),
        sa.Column("counts", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("plan_id", name="pk_plans"),
        sa.UniqueConstraint("number", name="uq_plans_number"),
    )
    op.create_table(
        "prospects",
        sa.Column("prospect_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("street", TEXT, nullable=True),
        sa.Column("city", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=True),
        sa.Column("postal_code", TEXT, nullable=True),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("given_lat", sa.Double(), nullable=True),
        sa.Column("given_lon", sa.Double(), nullable=True),
        sa.Column("website", TEXT, nullable=True),
        sa.Column("industry", TEXT, nullable=True),
        sa.Column("employees", sa.Double(), nullable=True),
        sa.Column("revenue_usd", sa.Double(), nullable=True),
        sa.Column("parent_id", TEXT, nullable=True),
        sa.Column("owner_rep_id", TEXT, nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("precision", TEXT, nullable=True),
        sa.Column("uncertainty_m", sa.Double(), nullable=True),
        sa.Column("geocode_source", TEXT, nullable=True),
        sa.Column("geocode_note", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("prospect_id", name="pk_prospects"),
    )
    op.create_table(
        "reps",
        sa.Column("rep_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=True),
        sa.Column("base_office_id", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("rep_id", name="pk_reps"),
    )
    op.create_table(
        "settings",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_settings"),
    )
    op.create_table(
        "contacts",
        sa.Column("contact_id", TEXT, nullable=False),
        sa.Column("prospect_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=True),
        sa.Column("email", TEXT, nullable=True),
        sa.Column("phone", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["prospect_id"],
            ["prospects.prospect_id"],
            name="fk_contacts_prospect_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("contact_id", name="pk_contacts"),
    )
    op.create_index("ix_contacts_prospect_id", "contacts", ["prospect_id"], unique=False)
    op.create_table(
        "opportunities",
        sa.Column("opportunity_id", TEXT, nullable=False),
        sa.Column("prospect_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("stage", TEXT, nullable=False),
        sa.Column("amount_usd", sa.Double(), nullable=True),
        sa.Column("close_on", TEXT, nullable=True),
        sa.Column("last_activity_on", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["prospect_id"],
            ["prospects.prospect_id"],
            name="fk_opportunities_prospect_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("opportunity_id", name="pk_opportunities"),
    )
    op.create_index("ix_opportunities_prospect_id", "opportunities", ["prospect_id"], unique=False)
    op.create_table(
        "plan_assignments",
        sa.Column("plan_id", TEXT, nullable=False),
        sa.Column("prospect_id", TEXT, nullable=False),
        sa.Column("segment", TEXT, nullable=False),
        sa.Column("market_id", TEXT, nullable=True),
        sa.Column("territory_id", TEXT, nullable=True),
        sa.Column("rep_id", TEXT, nullable=True),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("nearest_office_id", TEXT, nullable=True),
        sa.Column("distance_m", sa.Double(), nullable=True),
        sa.Column("verdict", TEXT, nullable=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("owner_rep_id", TEXT, nullable=True),
        sa.Column("locality", TEXT, nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("precision", TEXT, nullable=True),
        sa.Column("uncertainty_m", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plans.plan_id"], name="fk_plan_assignments_plan_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_id", "prospect_id", name="pk_plan_assignments"),
    )
    op.create_index(
        "ix_plan_assignments_plan_id_market_id",
        "plan_assignments",
        ["plan_id", "market_id"],
        unique=False,
    )
    op.create_index(
        "ix_plan_assignments_plan_id_rep_id",
        "plan_assignments",
        ["plan_id", "rep_id"],
        unique=False,
    )
    op.create_table(
        "plan_findings",
        sa.Column("plan_id", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("severity", TEXT, nullable=False),
        sa.Column("subject_kind", TEXT, nullable=False),
        sa.Column("subject_id", TEXT, nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("remedy", TEXT, nullable=False),
        sa.Column("market_id", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plans.plan_id"], name="fk_plan_findings_plan_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "plan_id", "code", "subject_kind", "subject_id", name="pk_plan_findings"
        ),
    )
    op.create_index(
        "ix_plan_findings_plan_id_market_id",
        "plan_findings",
        ["plan_id", "market_id"],
        unique=False,
    )
    op.create_table(
        "plan_markets",
        sa.Column("plan_id", TEXT, nullable=False),
        sa.Column("market_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("units", TEXT, nullable=True),
        sa.Column("geometry", sa.LargeBinary(), nullable=False),
        sa.Column("prospects", sa.Integer(), nullable=False),
        sa.Column("placed", sa.Integer(), nullable=False),
        sa.Column("enterprise", sa.Integer(), nullable=False),
        sa.Column("mid_market", sa.Integer(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("within_radius", sa.Integer(), nullable=False),
        sa.Column("too_close", sa.Integer(), nullable=False),
        sa.Column("beyond_radius", sa.Integer(), nullable=False),
        sa.Column("unassigned", sa.Integer(), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plans.plan_id"], name="fk_plan_markets_plan_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_id", "market_id", name="pk_plan_markets"),
    )
    op.create_table(
        "plan_named_accounts",
        sa.Column("plan_id", TEXT, nullable=False),
        sa.Column("prospect_id", TEXT, nullable=False),
        sa.Column("territory_id", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["plans.plan_id"],
            name="fk_plan_named_accounts_plan_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plan_id", "prospect_id", name="pk_plan_named_accounts"),
    )
    op.create_table(
        "plan_offices",
        sa.Column("plan_id", TEXT, nullable=False),
        sa.Column("office_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("street", TEXT, nullable=True),
        sa.Column("city", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=True),
        sa.Column("postal_code", TEXT, nullable=True),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("given_lat", sa.Double(), nullable=True),
        sa.Column("given_lon", sa.Double(), nullable=True),
        sa.Column("opened_on", TEXT, nullable=True),
        sa.Column("closed_on", TEXT, nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("precision", TEXT, nullable=True),
        sa.Column("uncertainty_m", sa.Double(), nullable=True),
        sa.Column("geocode_source", TEXT, nullable=True),
        sa.Column("geocode_note", TEXT, nullable=True),
        sa.Column("prospects", sa.Integer(), nullable=False),
        sa.Column("placed", sa.Integer(), nullable=False),
        sa.Column("enterprise", sa.Integer(), nullable=False),
        sa.Column("mid_market", sa.Integer(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("within_radius", sa.Integer(), nullable=False),
        sa.Column("too_close", sa.Integer(), nullable=False),
        sa.Column("beyond_radius", sa.Integer(), nullable=False),
        sa.Column("unassigned", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plans.plan_id"], name="fk_plan_offices_plan_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_id", "office_id", name="pk_plan_offices"),
    )
    op.create_table(
        "plan_reps",
        sa.Column("plan_id", TEXT, nullable=False),
        sa.Column("rep_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=True),
        sa.Column("base_office_id", TEXT, nullable=True),
        sa.Column("prospects", sa.Integer(), nullable=False),
        sa.Column("placed", sa.Integer(), nullable=False),
        sa.Column("enterprise", sa.Integer(), nullable=False),
        sa.Column("mid_market", sa.Integer(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("within_radius", sa.Integer(), nullable=False),
        sa.Column("too_close", sa.Integer(), nullable=False),
        sa.Column("beyond_radius", sa.Integer(), nullable=False),
        sa.Column("unassigned", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plans.plan_id"], name="fk_plan_reps_plan_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_id", "rep_id", name="pk_plan_reps"),
    )
    op.create_table(
        "plan_territories",
        sa.Column("plan_id", TEXT, nullable=False),
        sa.Column("territory_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("rep_id", TEXT, nullable=True),
        sa.Column("market_id", TEXT, nullable=False),
        sa.Column("segment", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plans.plan_id"], name="fk_plan_territories_plan_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "plan_id", "territory_id", "market_id", "segment", name="pk_plan_territories"
        ),
    )
    op.create_table(
        "quotas",
        sa.Column("rep_id", TEXT, nullable=False),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("amount_usd", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["rep_id"], ["reps.rep_id"], name="fk_quotas_rep_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("rep_id", "period", name="pk_quotas"),
    )
    op.create_table(
        "sites",
        sa.Column("site_id", TEXT, nullable=False),
        sa.Column("prospect_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("street", TEXT, nullable=True),
        sa.Column("city", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=True),
        sa.Column("postal_code", TEXT, nullable=True),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("given_lat", sa.Double(), nullable=True),
        sa.Column("given_lon", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("precision", TEXT, nullable=True),
        sa.Column("uncertainty_m", sa.Double(), nullable=True),
        sa.Column("geocode_source", TEXT, nullable=True),
        sa.Column("geocode_note", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["prospect_id"],
            ["prospects.prospect_id"],
            name="fk_sites_prospect_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("site_id", name="pk_sites"),
    )
    op.create_index("ix_sites_prospect_id", "sites", ["prospect_id"], unique=False)
    op.create_table(
        "territories",
        sa.Column("territory_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("rep_id", TEXT, nullable=True),
        sa.Column("market_id", TEXT, nullable=False),
        sa.Column("segment", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["market_id"],
            ["markets.market_id"],
            name="fk_territories_market_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("territory_id", "market_id", "segment", name="pk_territories"),
    )

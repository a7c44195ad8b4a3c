"""Sales territories, target markets and commute-radius eligibility, decided on the ellipsoid."""

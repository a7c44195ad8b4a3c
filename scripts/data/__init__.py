"""Builds the tables in data/ out of pinned packages. Run it with scripts/data/build.py."""

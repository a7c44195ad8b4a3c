"""The history of the tables, carried by the package."""

"""Find the packages; the ``find:`` of setup.cfg does not see data/ as territory_data."""

from setuptools import find_packages, setup

CODE = find_packages(include=["territory", "territory.*", "webmap", "webmap.*"])
DATA = ["territory_data", *(f"territory_data.{name}" for name in find_packages("data"))]

setup(packages=[*CODE, *DATA])

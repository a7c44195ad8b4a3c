#!/usr/bin/env bash
# A `forbidden` contract of import-linter is kept although the forbidden package is imported at run time, where the way
# there goes through a package whose `__init__` loads its names with lazy_loader.attach_stub: the names stand in
# `__init__.pyi`, which the import graph does not read, so the chain ends at the face. Written plainly in `__init__.py`,
# the same import breaks the contract. Meets whoever gives packages lazy faces (as scikit-image and networkx do) and
# holds a start-up promise ("the command line imports no numpy") by such a contract: measure sys.modules instead.
# Versions: lazy-loader 0.6, import-linter 2.17, Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check lazy-loader==0.6 import-linter==2.17 colorama==0.4.6

mkdir -p app/maths
cat > app/__init__.py </dev/null
printf 'from app.maths import area\n\n\ndef main() -> None:\n    print(area(2))\n' > app/cli.py
printf 'import colorama\n\n\ndef area(side: float) -> float:\n    return side * side\n' > app/maths/plane.py
printf 'from .plane import area as area\n' > app/maths/__init__.pyi
cat > setup.cfg <<'END'
[importlinter]
root_package = app
include_external_packages = True

[importlinter:contract:1]
name = the command line reaches no colorama
type = forbidden
source_modules = app.cli
forbidden_modules = colorama
END
check() { env/bin/lint-imports 2>&1 | grep -oE 'the command line reaches no colorama (KEPT|BROKEN)' || true; }

printf 'import lazy_loader\n\n__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)\n' > app/maths/__init__.py
lazy=$(check)
loaded=$(env/bin/python -c "import sys; from app.cli import main; main(); print('colorama' in sys.modules)" | tail -1)
printf 'from app.maths.plane import area as area\n' > app/maths/__init__.py
plain=$(check)
echo "face loaded lazily: $lazy; imported at run time: $loaded"
echo "face written plainly: $plain"
[ "$lazy" = "the command line reaches no colorama KEPT" ] && [ "$loaded" = True ] &&
  [ "$plain" = "the command line reaches no colorama BROKEN" ] || { echo "This has changed." >&2; exit 1; }

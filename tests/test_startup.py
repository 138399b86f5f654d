import subprocess
import sys

import pytest

HEAVY = {"geopandas", "matplotlib", "nbformat", "numba", "numpy", "pandas", "pyarrow", "scipy", "sklearn", "xgboost"}


@pytest.mark.parametrize(
    "start",
    [
        "import territory_lab",
        "from territory_lab.cli import app; app(['--help'], standalone_mode=False)",
        "from territory_lab.cli import app; app(['report', '--help'], standalone_mode=False)",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(start: str) -> None:
    code = f"import sys; {start}; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert HEAVY & set(done.stderr.split()) == set()

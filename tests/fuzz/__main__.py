"""Let atheris look for bytes that break a reader: `python -m tests.fuzz csv 600` (group `fuzz`; Linux)."""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["territory_lab", "csv", "tomllib"]):
    from tests.fuzz.targets import SEEDS, TARGETS


def main(name: str, seconds: str, seed: str = "1") -> None:
    """Fuzz one target; what breaks it is written to the working directory as crash-* or timeout-*."""
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as grown:
        folder = Path(place)
        limits = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048", "-max_len=4096", f"-seed={seed}"]
        atheris.Setup([sys.argv[0], *limits, grown, str(SEEDS / name)], lambda data: target(folder, data))
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])

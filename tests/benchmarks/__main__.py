"""`make bench`, or the parts that are named: `python -m tests.benchmarks jobs peers`."""

import sys
from importlib import import_module

from tests.benchmarks.common import warm_up

PARTS = {
    "jobs": "jobs",
    "peers": "peers",
    "homes": "homes",
    "any": "any_centres",
    "frontier": "frontier",
    "several": "several",
    "hess": "hess",
    "customers": "customers",
    "whitespace": "whitespace",
    "cdnow": "cdnow",
    "bank": "propensity:bank",
    "caravan": "propensity:caravan",
    "permuted": "propensity:permuted",
    "million": "propensity:million",
    "locate": "locate",
    "map": "territory_map",
    "postgres": "postgres",
    "crash": "crash",
    "decisions": "decisions",
    "scaling": "scaling",
    "part": "scaling:part",
    "curve": "learning_curve",
    "large": "large",
    "report": "reports",
}


def main(names: list[str]) -> None:
    """Warm up, then measure the parts named, or all of them."""
    unknown = set(names) - PARTS.keys()
    if unknown:
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; known: {', '.join(PARTS)}")
    warm_up()
    for name in names or PARTS:
        module, _, part = PARTS[name].partition(":")
        getattr(import_module(f"tests.benchmarks.{module}"), part or "main")()


if __name__ == "__main__":
    main(sys.argv[1:])

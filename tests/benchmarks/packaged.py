"""Files that ship inside packages of the bench group; the packages themselves are never imported."""

import sys
from importlib.util import find_spec
from pathlib import Path


def packaged(package: str, *parts: str) -> Path:
    """Find a file inside a package, or say which package is missing."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(f"{package} is not installed: `make bench` installs it")
    return Path(spec.submodule_search_locations[0]).joinpath(*parts)

"""Sales-territory planning, from accounts to a decision; each room is imported when it is first entered."""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from territory_lab import (
        alignment,
        bucket,
        charts,
        cluster,
        crm,
        evaluation,
        geography,
        handover,
        journey,
        lifecycle,
        maps,
        market,
        propensity,
        quota,
        reporting,
        response,
        sample,
        scenarios,
        schema,
        scoring,
        serving,
        shipped,
        timeline,
        widgets,
        workload,
        workspace,
    )

__all__ = [
    "alignment",
    "bucket",
    "charts",
    "cluster",
    "crm",
    "evaluation",
    "geography",
    "handover",
    "journey",
    "lifecycle",
    "maps",
    "market",
    "propensity",
    "quota",
    "reporting",
    "response",
    "sample",
    "scenarios",
    "schema",
    "scoring",
    "serving",
    "shipped",
    "timeline",
    "widgets",
    "workload",
    "workspace",
]


def __getattr__(name: str) -> ModuleType:
    """Import a room when it is first asked for, so that the command line starts at once."""
    if name in __all__:
        return import_module(f"territory_lab.{name}")
    raise AttributeError(f"module 'territory_lab' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the rooms."""
    return __all__

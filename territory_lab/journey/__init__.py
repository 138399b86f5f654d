"""The six steps in order: read from the workspace, call one public function of a room, keep the result."""

from collections.abc import Callable

from territory_lab.journey.chosen import chosen
from territory_lab.journey.customers import icp, key_accounts, propensity, tam
from territory_lab.journey.drafts import as_scenarios, draft, keep, shelf
from territory_lab.journey.everyone import learning, scored
from territory_lab.journey.territories import evaluation, on_the_map, plan, resources, sizes, territories
from territory_lab.journey.trade_off import trade_off
from territory_lab.results import Result
from territory_lab.workspace import Workspace

STEPS: dict[str, Callable[[Workspace], Result]] = {
    "1_icp": icp,
    "2_tam": tam,
    "3_propensity": propensity,
    "4_territories": territories,
    "5_resources": resources,
    "6_evaluation": evaluation,
}

__all__ = [
    "STEPS",
    "as_scenarios",
    "chosen",
    "draft",
    "evaluation",
    "icp",
    "keep",
    "key_accounts",
    "learning",
    "on_the_map",
    "plan",
    "propensity",
    "resources",
    "scored",
    "shelf",
    "sizes",
    "tam",
    "territories",
    "trade_off",
]

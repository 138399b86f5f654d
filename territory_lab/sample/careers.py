"""Who buys what, from when to when: the story that orders, opportunities and calls then tell."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from territory_lab.sample import accounts
from territory_lab.sample.cast import AFFINITY, BASIC, CHURN, END, LATE_SHARE, PRODUCTS, SECTORS, START
from territory_lab.sample.effort import Effort, effort
from territory_lab.sample.places import Floats, Places

DAYS = pd.date_range(START, END)
YEAR = ((12 * DAYS.year + DAYS.month - 12 * DAYS[0].year - DAYS[0].month) // 12).to_numpy()
"""Number of the year of each day, counted from the first one."""


@dataclass(frozen=True)
class Story:
    """Everything the generator knows."""

    people: pd.DataFrame  # accounts as ``accounts.draw`` gives them
    work: Effort  # what the reps' time brings
    # one row a customer: account (its row in ``people``), start, stop (days since the first one; past the last
    # one for those who stay), churned
    career: pd.DataFrame
    # one row a customer and product it owns: customer (row in ``career``), product (number), since (day), late
    # (added after the start)
    held: pd.DataFrame

    @classmethod
    def tell(cls, rng: np.random.Generator, size: int, where: Places) -> Self:
        """Draw the accounts and what becomes of them."""
        people = accounts.draw(rng, size, where)
        work = effort(rng, people)
        career = _careers(rng, people)
        return cls(people, work, career, _holdings(rng, people["sector_row"].to_numpy()[career["account"]], career))


def owned_chance() -> Floats:
    """Tell how likely a customer of each sector is to come to own each product, shape (sectors, products)."""
    chance = _offered()
    first, second = _pair()
    chance[:, second] *= 1 + (AFFINITY[2] - 1) * chance[:, first]
    return chance


def _careers(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """Let customers come, the new ones at any time, and go at a constant rate."""
    account = np.flatnonzero(people["customer"])
    start = np.where(people["new"].to_numpy()[account], rng.uniform(0, len(DAYS) - 1, len(account)), 0.0)
    leaves = start + rng.exponential(365.25 / CHURN, len(account))
    stop = np.minimum(leaves, len(DAYS))
    return pd.DataFrame({"account": account, "start": start, "stop": stop, "churned": leaves < len(DAYS)})


def _holdings(rng: np.random.Generator, kind: np.ndarray, career: pd.DataFrame) -> pd.DataFrame:
    """Let customers own products by their sector and the affinity, some added late, one at least from the start."""
    first, second = _pair()
    chance = _offered()[kind]
    owns = rng.random(chance.shape) < chance
    owns[:, second] = rng.random(len(career)) < chance[:, second] * np.where(owns[:, first], AFFINITY[2], 1.0)
    late = owns & (rng.random(owns.shape) < LATE_SHARE)
    bare = ~(owns & ~late).any(axis=1)
    entry = np.array([list(PRODUCTS).index(product) for product in BASIC])[rng.integers(len(BASIC), size=len(career))]
    owns[bare, entry[bare]], late[bare, entry[bare]] = True, False
    customer, product = np.nonzero(owns)
    start, stop = (career[column].to_numpy()[customer] for column in ("start", "stop"))
    added = late[customer, product]
    since = np.where(added, rng.uniform(start, stop), start)
    return pd.DataFrame({"customer": customer, "product": product, "since": since, "late": added})


def _offered() -> Floats:
    """Chance that a customer of each sector owns each product, before any affinity (shape sectors x products)."""
    return np.array([[p.owned if p.sector in (None, s) else 0.0 for p in PRODUCTS.values()] for s in SECTORS])


def _pair() -> tuple[int, int]:
    """Numbers of the two products of the affinity."""
    return list(PRODUCTS).index(AFFINITY[0]), list(PRODUCTS).index(AFFINITY[1])

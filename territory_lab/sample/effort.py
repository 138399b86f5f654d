"""How selling time is dealt out today, and what it does to the sample company's sales: the planted response."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from territory_lab.alignment.problem import great_circle_km
from territory_lab.sample.cast import ELASTICITY, MANAGERS, SELLING_H, SKILL_ON_SALES, TERRITORIES, WIN
from territory_lab.sample.places import Floats, Ints, homes

_SHARE_OF_WALLET = (4.0, 6.0)  # Beta; mean 0.4


@dataclass(frozen=True)
class Effort:
    """What the reps are and what their time brings, by account, by territory and by year."""

    fair_sales: Floats  # money a year each account would spend if every rep had the same to do; zero for no customer
    skill: Floats  # of each territory's rep, standard normal
    selling_h: Floats  # hours a year, by territory
    overload: Floats  # workload above the mean as a share of it, at least 0, by territory
    factor: Floats  # what skill and the hours for each customer do to a territory's sales today
    balanced: Floats  # the same, were every territory's workload the mean
    holder: Ints  # number of the rep who held each territory, shape (years, territories); in the last year today's
    handed: Floats  # what the rep of the year made of the territory's sales relative to today's, likewise
    win_logit: Floats  # log-odds that an opportunity is won, shape (years, accounts)


def effort(rng: np.random.Generator, people: pd.DataFrame) -> Effort:
    """
    Deal out the reps' time as the alignment of today has it.

    Each rep splits the hours T of a year over the customers in the best way for sales a t**b (Skiera and Albers 1998):
    in proportion to a**(1 / (1 - b)), which is here the fair sales f. With W the fair sales of the territory, and
    the mean over the territories for a bar, each customer then spends f (T / T_bar * W_bar / W)**b.
    """
    count = len(TERRITORIES)
    territory = people["territory"].to_numpy()
    fair = people["could_spend"].to_numpy() * rng.beta(*_SHARE_OF_WALLET, len(people)) * people["customer"].to_numpy()
    skill = rng.standard_normal(count)
    skill = (skill - skill.mean()) / skill.std()
    selling_h = (SELLING_H * rng.uniform(0.96, 1.04, count)).round(-1)
    workload = np.bincount(territory, fair, count)
    ratio = workload / workload.mean()
    overload = np.maximum(ratio - 1, 0)
    balanced = (selling_h / selling_h.mean()) ** ELASTICITY * np.exp(SKILL_ON_SALES * skill)
    factor = balanced * np.power(ratio, -ELASTICITY, out=np.ones(count), where=ratio > 0)
    home = homes().iloc[territory]
    km = great_circle_km(people["lon"], people["lat"], home["lon"], home["lat"])
    logit = (
        WIN["intercept"]
        + WIN["fit"] * people["fit"].to_numpy()
        + WIN["distance"] * np.log1p(km / 100)
        + WIN["overload"] * overload[territory]
    )
    holder = holders()
    handed = np.exp(SKILL_ON_SALES * (skill[holder] - skill))
    logits = logit + WIN["skill"] * skill[holder][:, territory]
    return Effort(fair, skill, selling_h, overload, factor, balanced, holder, handed, logits)


def holders() -> Ints:
    """
    Say by number which rep held which territory in each of the three years, shape (years, territories).

    At each turn of the year some reps of a district changed places, each moving to the new territory's city: first
    those of the first half of the district's list, then those at every other place. Without that nobody could tell
    a good rep from a good territory. In the last year each rep holds the territory of the same number.
    """
    years = [np.arange(len(TERRITORIES))]
    for every_other in (True, False):  # the later turn of the year first
        earlier = years[0].copy()
        for district in MANAGERS:
            members = [t for t, territory in enumerate(TERRITORIES) if territory.district == district]
            places = members[::2] if every_other else members[: len(members) // 2]
            earlier[places] = np.roll(earlier[places], 1)
        years.insert(0, earlier)
    return np.array(years)

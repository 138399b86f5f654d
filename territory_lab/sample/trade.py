"""What the sample company's systems record in three years: orders, opportunities and calls."""

import numpy as np
import pandas as pd

from territory_lab.sample.accounts import ids
from territory_lab.sample.careers import DAYS, YEAR, Story, owned_chance
from territory_lab.sample.cast import CONTACT_SHARE, LATE_SHARE, NEW_SHARE, PRODUCTS, SEASON, SECTORS
from territory_lab.sample.places import Floats, Ints, pick_within, rep_ids

_SEASON_PEAK = 120  # day of the year
_PACE_ON_SPEND, _PACE_SPREAD = 0.3, 0.3  # larger customers order more often; spread of log orders a year
_ORDER_SPREAD = 0.6  # of log amounts about the customer's mean order
_CYCLE, _CYCLE_SPREAD = 70.0, 0.5  # median days from opening an opportunity to its close, spread of their log
_LONGEST_CYCLE = 170  # days
_DEAL_SHARE = 0.15  # of what the account could spend in a year
_CALL_H = np.array([0.5, 0.75, 1.0, 1.25, 1.5])


def orders(rng: np.random.Generator, story: Story, a_year: float) -> pd.DataFrame:
    """Let customers order: Poisson in time with season, drift and an end, lognormal amounts."""
    career, held, work = story.career, story.held, story.work
    customer, product = held["customer"].to_numpy(), held["product"].to_numpy()
    account = career["account"].to_numpy()
    fair = work.fair_sales[account]
    pace = a_year * (fair / np.median(fair)) ** _PACE_ON_SPEND * rng.lognormal(0, _PACE_SPREAD, len(career))
    territory = story.people["territory"].to_numpy()[account]
    spend = fair * work.factor[territory]
    popular = np.array([item.owned for item in PRODUCTS.values()])[product]
    share = popular / np.bincount(customer, popular)[customer]

    sector = story.people["sector_row"].to_numpy()[account[customer]]
    clock, business = _clock()
    since = np.floor(held["since"]).astype(int).to_numpy()
    begin, end = clock[sector, since], clock[sector, np.floor(career["stop"]).astype(int).to_numpy()[customer]]
    dated = held["late"].to_numpy() | story.people["new"].to_numpy()[account[customer]]  # begins by an order
    count = rng.poisson(pace[customer] * share * (end - begin))
    count = np.where(dated, count + 1, np.maximum(count, 1))
    row = np.repeat(np.arange(len(held)), count)
    opening = dated[row] & (np.diff(row, prepend=-1) > 0)
    day = np.where(
        opening, since[row], _day_at(clock, sector[row], begin[row] + rng.random(len(row)) * (end - begin)[row])
    )
    mean = (spend / pace)[customer[row]] * work.handed[YEAR[day], territory[customer[row]]]
    amount = mean * rng.lognormal(-(_ORDER_SPREAD**2) / 2, _ORDER_SPREAD, len(row))
    price = np.array([item.price for item in PRODUCTS.values()])[product[row]]
    frame = pd.DataFrame(
        {
            "account_id": story.people["account_id"].array.take(account[customer[row]]),
            "product_id": _product_ids(product[row]),
            "order_date": DAYS[business[day]],
            "quantity": np.maximum(1, (amount / price).round()),
            "amount": np.maximum(amount, 5).round(2),
        }
    )
    return _by_date(frame, "order_date", "order_id", "S")


def opportunities(rng: np.random.Generator, story: Story) -> pd.DataFrame:
    """
    Tell the deals behind new customers and added products, and those that came to nothing.

    The won ones are given: a new customer's start, a product added later. Lost ones come at their expected rate times
    exp(-logit), so that whatever the account, the odds of winning are exp(logit): customers and wins each keep
    the coefficients planted in them. Open are those whose close lies after the data.
    """
    deals = pd.concat([_won(story), _unwon(rng, story)], ignore_index=True)
    account = deals["account"].to_numpy()
    cycle = np.clip(rng.lognormal(np.log(_CYCLE), _CYCLE_SPREAD, len(deals)), 5, _LONGEST_CYCLE)
    deal = _DEAL_SHARE * story.people["could_spend"].to_numpy()[account] * rng.lognormal(0, 0.5, len(deals))
    closed = deals["closes"] < len(DAYS)
    holder = story.work.holder[_year_of(deals["closes"]), story.people["territory"].to_numpy()[account]]
    frame = pd.DataFrame(
        {
            "account_id": story.people["account_id"].array.take(account),
            "owner_id": rep_ids()[holder].astype("str"),
            "product_id": _product_ids(deals["product"].to_numpy()),
            "stage": deals["stage"].where(closed, "open"),
            "created_date": _date(deals["closes"] - cycle),
            "close_date": _date(deals["closes"]).where(closed),
            "amount": np.maximum(1, (deal / 50).round()) * 50,
        }
    )
    return _by_date(frame[frame["created_date"] <= DAYS[-1]], "created_date", "opportunity_id", "Q")


def calls(rng: np.random.Generator, story: Story, scale: float) -> pd.DataFrame:
    """
    Let reps call on customers in the last twelve months, as often as their time and the customer's weight allow.

    ``scale`` people stand behind each rep.
    """
    year = len(DAYS) - 365
    here = story.career[story.career["stop"] > year]
    account = here["account"].to_numpy()
    territory = story.people["territory"].to_numpy()[account]
    fair = story.work.fair_sales[account]
    whole = np.bincount(territory, fair, len(story.work.skill))
    hours = scale * CONTACT_SHARE * story.work.selling_h[territory] * fair / whole[territory]
    row = np.repeat(np.arange(len(here)), rng.poisson(hours / _CALL_H.mean()))
    begin = np.maximum(here["start"].to_numpy(), year)[row]
    day = np.floor(rng.uniform(begin, here["stop"].to_numpy()[row])).astype(int)
    frame = pd.DataFrame(
        {
            "account_id": story.people["account_id"].array.take(account[row]),
            "rep_id": story.people["owner_id"].array.take(account[row]),
            "call_date": DAYS[_clock()[1][day]],
            "duration_h": rng.choice(_CALL_H, len(row)),
        }
    )
    return _by_date(frame, "call_date", "call_id", "C")


def _won(story: Story) -> pd.DataFrame:
    """Deals that brought a new customer or one more product: account, product, closes (day), stage."""
    account = story.career["account"].to_numpy()[story.held["customer"]]
    late = story.held["late"]
    entered = ~late & story.people["new"].to_numpy()[account]
    deals = story.held.assign(account=account, stage="won").rename(columns={"since": "closes"})
    won = pd.concat([deals[entered].drop_duplicates("customer"), deals[late]])
    return pd.DataFrame(won, columns=["account", "product", "closes", "stage"])


def _unwon(rng: np.random.Generator, story: Story) -> pd.DataFrame:
    """Deals lost in the three years, and those, won or lost, that close soon after: columns as ``_won``."""
    kind, chance = story.people["sector_row"].to_numpy(), story.people["chance"].to_numpy()
    loses = np.exp(-story.work.win_logit)
    most, today = loses.max(axis=0), loses[-1]
    other, ours = np.flatnonzero(~story.people["customer"]), story.career["account"].to_numpy()
    enters = NEW_SHARE * (chance / (1 - chance))[other]  # customers won, for each account like it that is none
    adds = LATE_SHARE * owned_chance().sum(axis=1)[kind[ours]]
    still = _LONGEST_CYCLE / len(DAYS)
    last, later = float(len(DAYS)), float(len(DAYS) + _LONGEST_CYCLE)
    who = np.concatenate([other, ours, other, ours])
    rate = np.concatenate(
        [
            enters * most[other],
            adds * most[ours],
            still * enters * (1 + today[other]),
            still * adds * (1 + today[ours]) * ~story.career["churned"].to_numpy(),
        ]
    )
    count = len(other) + len(ours)
    begin = np.concatenate([np.zeros(len(other)), story.career["start"], np.full(count, last)])
    end = np.concatenate([np.full(len(other), last), story.career["stop"], np.full(count, later)])
    row = np.repeat(np.arange(len(who)), rng.poisson(rate))
    offered = owned_chance()
    reach = np.arange(len(offered))[:, None] + offered.cumsum(axis=1) / offered.sum(axis=1, keepdims=True)
    deals = pd.DataFrame(
        {
            "account": who[row],
            "product": pick_within(rng, kind[who[row]], reach.ravel()) % len(PRODUCTS),
            "closes": rng.uniform(begin[row], end[row]),
            "stage": "lost",
        }
    )
    rate_then = loses[_year_of(deals["closes"]), who[row]]
    kept: pd.DataFrame = deals[(deals["closes"] >= last) | (rng.random(len(deals)) * most[who[row]] < rate_then)]
    return kept


def _clock() -> tuple[Floats, Ints]:
    """Demand so far, in years, by sector and day (shape sectors x days + 1), and the working day of each day."""
    day = np.arange(len(DAYS))
    season = 1 + SEASON * np.cos(2 * np.pi * (DAYS.day_of_year.to_numpy() - _SEASON_PEAK) / 365.25)
    working = DAYS.day_of_week.to_numpy() < 5
    growth = np.array([sector.growth for sector in SECTORS.values()])[:, None]
    weight = np.where(working, season, 0) * 7 / 5 / 365.25 * np.exp(growth * (day - len(DAYS) / 2) / 365.25)
    business = np.maximum.accumulate(np.where(working, day, working.argmax()))
    return np.hstack([np.zeros((len(SECTORS), 1)), weight.cumsum(axis=1)]), business


def _day_at(clock: Floats, sector: Ints, demand: Floats) -> Ints:
    """Invert the clock: the day on which each sector's demand reaches the given height."""
    step = clock.max() + 1
    ladder = (np.arange(len(clock))[:, None] * step + clock[:, 1:]).ravel()
    found: Ints = np.searchsorted(ladder, sector * step + demand, side="right") - sector * len(DAYS)
    return found.clip(max=len(DAYS) - 1)


def _year_of(day: pd.Series) -> Ints:
    """Tell the number of the year of each day; what lies after the data counts to the last."""
    found: Ints = YEAR[np.minimum(np.floor(day).astype(int), len(DAYS) - 1)]
    return found


def _date(day: pd.Series) -> pd.Series:
    """Turn days since the first one into dates."""
    return pd.Series(DAYS[0] + pd.to_timedelta(np.floor(day), unit="D"))


def _product_ids(product: Ints) -> pd.Series:
    """Turn numbers of products into their ids."""
    return pd.Series(list(PRODUCTS), dtype="str").take(product).reset_index(drop=True)


def _by_date(frame: pd.DataFrame, date: str, key: str, letter: str) -> pd.DataFrame:
    """Sort events by date and number them."""
    frame = frame.sort_values(date, kind="stable", ignore_index=True)
    frame.insert(0, key, ids(letter, len(frame)))
    return frame

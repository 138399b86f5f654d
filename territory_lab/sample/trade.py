"""What happens in the sample company's three years: holdings, orders, opportunities and calls."""

import numpy as np
import pandas as pd

from territory_lab.sample.accounts import ids
from territory_lab.sample.cast import (
    AFFINITY,
    BASIC,
    CHURN,
    CONTACT_SHARE,
    END,
    LATE_SHARE,
    NEW_SHARE,
    PRODUCTS,
    SEASON,
    SECTORS,
    START,
)
from territory_lab.sample.effort import Effort
from territory_lab.sample.places import Floats, Ints

DAYS = pd.date_range(START, END)
YEARS = len(DAYS) / 365.25
_SEASON_PEAK = 120  # day of the year
_ORDER_SPREAD = 0.6  # of log amounts about the customer's mean order
_CYCLE = (70.0, 0.5)  # median days from opening an opportunity to its close, and spread of their log
_LONGEST_CYCLE = 170  # days
_CALL_H = np.array([0.5, 0.75, 1.0, 1.25, 1.5])


def careers(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """
    Say from when to when each customer buys.

    Parameters
    ----------
    rng : Generator
        Source of the draws.
    people : DataFrame
        Accounts as ``accounts.draw`` gives them.

    Returns
    -------
    DataFrame
        One row a customer: account (its row), start, stop (days since the first one; stop is past the end for those
        who stay), churned.
    """
    account = np.flatnonzero(people["customer"])
    start = np.where(people["new"].to_numpy()[account], rng.uniform(0, len(DAYS) - 1, len(account)), 0.0)
    leaves = start + rng.exponential(365.25 / CHURN, len(account))
    stop = np.minimum(leaves, len(DAYS))
    return pd.DataFrame({"account": account, "start": start, "stop": stop, "churned": leaves < len(DAYS)})


def owned_chance() -> Floats:
    """
    Tell how likely a customer of each sector is to come to own each product, all else unknown.

    Returns
    -------
    array of float, shape (sectors, products)
        Shares.
    """
    chance = np.array([[p.owned if p.sector in (None, s) else 0.0 for p in PRODUCTS.values()] for s in SECTORS])
    first, second = _pair()
    chance[:, second] *= 1 + (AFFINITY[2] - 1) * chance[:, first]
    return chance


def holdings(rng: np.random.Generator, people: pd.DataFrame, career: pd.DataFrame) -> pd.DataFrame:
    """
    Say which customer owns which product, and since when.

    Parameters
    ----------
    rng : Generator
        Source of the draws.
    people, career : DataFrame
        Accounts, and the careers of those who are customers.

    Returns
    -------
    DataFrame
        customer (row in ``career``), product (number), since (day), late (added after the start).
    """
    count = len(career)
    kind = people["sector_row"].to_numpy()[career["account"]]
    first, second = _pair()
    chance = np.array([[p.owned if p.sector in (None, s) else 0.0 for p in PRODUCTS.values()] for s in SECTORS])[kind]
    owns = rng.random((count, len(PRODUCTS))) < chance
    owns[:, second] = rng.random(count) < chance[:, second] * np.where(owns[:, first], AFFINITY[2], 1.0)
    late = owns & (rng.random(owns.shape) < LATE_SHARE)
    bare = ~(owns & ~late).any(axis=1)
    entry = np.array([list(PRODUCTS).index(product) for product in BASIC])[rng.integers(len(BASIC), size=count)]
    owns[bare, entry[bare]], late[bare, entry[bare]] = True, False
    customer, product = np.nonzero(owns)
    start, stop = (career[column].to_numpy()[customer] for column in ("start", "stop"))
    late = late[customer, product]
    since = np.where(late, rng.uniform(start, stop), start)
    return pd.DataFrame({"customer": customer, "product": product, "since": since, "late": late})


def orders(
    rng: np.random.Generator,
    people: pd.DataFrame,
    career: pd.DataFrame,
    held: pd.DataFrame,
    work: Effort,
    a_year: float,
) -> pd.DataFrame:
    """
    Let customers order: Poisson in time with season, drift and an end, lognormal amounts.

    Parameters
    ----------
    rng : Generator
        Source of the draws.
    people, career, held : DataFrame
        Accounts, careers and holdings.
    work : Effort
        What each customer spends in a year.
    a_year : float
        Orders of a middling customer.

    Returns
    -------
    DataFrame
        The table ``orders``, by date.
    """
    customer = held["customer"].to_numpy()
    account = career["account"].to_numpy()[customer]
    sector = people["sector_row"].to_numpy()[account]
    clock, business = _clock()
    popular = np.array([product.owned for product in PRODUCTS.values()])[held["product"]]
    share = popular / np.bincount(customer, popular)[customer]
    spend = work.fair_sales * work.factor[people["territory"]]
    middle = np.median(work.fair_sales[career["account"]])
    pace = a_year * (work.fair_sales[career["account"]] / middle) ** 0.3 * rng.lognormal(0, 0.3, len(career))
    since, stop = held["since"].to_numpy(), career["stop"].to_numpy()[customer]
    left = clock[sector, np.floor(stop).astype(int)] - clock[sector, np.floor(since).astype(int)]
    dated = held["late"].to_numpy() | people["new"].to_numpy()[account]  # the first order is the event itself
    count = rng.poisson(pace[customer] * share * left)
    count = np.where(dated, count + 1, np.maximum(count, 1))
    row = np.repeat(np.arange(len(held)), count)
    opening = np.concatenate([[True], row[1:] != row[:-1]]) & dated[row]
    when = np.where(opening, 0.0, rng.random(len(row)))
    from_, to = clock[sector, np.floor(since).astype(int)][row], clock[sector, np.floor(stop).astype(int)][row]
    day = _day_at(clock, sector[row], from_ + when * (to - from_))
    day = business[np.where(opening, np.floor(since[row]).astype(int), day)]
    mean = (spend[account] / pace[customer])[row]
    amount = mean * rng.lognormal(-(_ORDER_SPREAD**2) / 2, _ORDER_SPREAD, len(row))
    product = held["product"].to_numpy()[row]
    price = np.array([item.price for item in PRODUCTS.values()])[product]
    frame = pd.DataFrame(
        {
            "account_id": people["account_id"].take(account[row]).array,
            "product_id": pd.Series(list(PRODUCTS), dtype="str").take(product).array,
            "order_date": DAYS[day],
            "quantity": np.maximum(1, (amount / price).round()),
            "amount": np.maximum(amount, 5).round(2),
        }
    ).sort_values("order_date", kind="stable", ignore_index=True)
    frame.insert(0, "order_id", ids("S", len(frame)))
    return frame


def opportunities(
    rng: np.random.Generator, people: pd.DataFrame, career: pd.DataFrame, held: pd.DataFrame, work: Effort
) -> pd.DataFrame:
    """
    Tell the deals behind new customers and added products, and those that came to nothing.

    The won ones are given: a new customer's start, a product added later. Lost ones come at their expected rate times
    exp(-logit), so that whatever the account, the odds of winning are exp(logit): customers and wins each keep
    the coefficients planted in them.

    Parameters
    ----------
    rng : Generator
        Source of the draws.
    people, career, held : DataFrame
        Accounts, careers and holdings.
    work : Effort
        Log-odds of winning.

    Returns
    -------
    DataFrame
        The table ``opportunities``, by date, open where the close lies after the data.
    """
    new = people["new"].to_numpy()[career["account"].to_numpy()[held["customer"]]]
    won = pd.concat([held[~held["late"] & new].drop_duplicates("customer"), held[held["late"]]])
    wins = pd.DataFrame(
        {
            "account": career["account"].to_numpy()[won["customer"]],
            "product": won["product"].to_numpy(),
            "closes": won["since"].to_numpy(),
            "stage": "won",
        }
    )
    deals = pd.concat([wins, *_unwon(rng, people, career, work)], ignore_index=True)
    median, spread = _CYCLE
    cycle = np.clip(rng.lognormal(np.log(median), spread, len(deals)), 5, _LONGEST_CYCLE)
    created = np.floor(deals["closes"] - cycle)
    deals = deals.assign(created=created)[created < len(DAYS)].sort_values("created", kind="stable", ignore_index=True)
    account = deals["account"].to_numpy()
    deal = people["could_spend"].to_numpy()[account] * 0.15 * rng.lognormal(0, 0.5, len(deals))
    open_ = deals["closes"] >= len(DAYS)
    close = DAYS[0] + pd.to_timedelta(np.floor(deals["closes"]).astype("int64"), unit="D")
    return pd.DataFrame(
        {
            "opportunity_id": ids("Q", len(deals)),
            "account_id": people["account_id"].take(account).array,
            "owner_id": people["owner_id"].take(account).array,
            "product_id": pd.Series(list(PRODUCTS), dtype="str").take(deals["product"]).array,
            "stage": deals["stage"].mask(open_, "open").astype("str"),
            "created_date": DAYS[0] + pd.to_timedelta(deals["created"].astype("int64"), unit="D"),
            "close_date": pd.Series(close).mask(open_),
            "amount": np.maximum(1, (deal / 50).round()) * 50,
        }
    )


def calls(rng: np.random.Generator, people: pd.DataFrame, career: pd.DataFrame, work: Effort, scale: float) -> pd.DataFrame:
    """
    Let reps call on customers in the last twelve months, as often as their time and the customer's weight allow.

    Parameters
    ----------
    rng : Generator
        Source of the draws.
    people, career : DataFrame
        Accounts and careers.
    work : Effort
        Hours and weights.
    scale : float
        How many people stand behind each rep.

    Returns
    -------
    DataFrame
        The table ``calls``, by date.
    """
    here = career[career["stop"] > len(DAYS) - 365]
    account = here["account"].to_numpy()
    territory = people["territory"].to_numpy()
    weight = np.bincount(territory[account], work.fair_sales[account], len(work.skill))
    hours = scale * CONTACT_SHARE * (work.selling_h / np.maximum(weight, 1e-9))[territory[account]]
    count = rng.poisson(hours * work.fair_sales[account] / _CALL_H.mean())
    row = np.repeat(np.arange(len(here)), count)
    begin = np.maximum(here["start"].to_numpy(), len(DAYS) - 365)[row]
    _, business = _clock()
    day = business[np.floor(rng.uniform(begin, here["stop"].to_numpy()[row])).astype(int)]
    frame = pd.DataFrame(
        {
            "account_id": people["account_id"].take(account[row]).array,
            "rep_id": people["owner_id"].take(account[row]).array,
            "call_date": DAYS[day],
            "duration_h": rng.choice(_CALL_H, len(row)),
        }
    ).sort_values("call_date", kind="stable", ignore_index=True)
    frame.insert(0, "call_id", ids("C", len(frame)))
    return frame


def _unwon(
    rng: np.random.Generator, people: pd.DataFrame, career: pd.DataFrame, work: Effort
) -> list[pd.DataFrame]:
    """Deals lost in the three years, and deals that close in the half year after them, won or lost."""
    after = _LONGEST_CYCLE / len(DAYS)  # share of the time from which a deal that closes later can already be open
    chance, loses = people["chance"].to_numpy(), np.exp(-work.win_logit)
    other = np.flatnonzero(~people["customer"])
    entering = (NEW_SHARE * chance / (1 - np.minimum(chance, 0.97)))[other]
    account = career["account"].to_numpy()
    kind = people["sector_row"].to_numpy()
    adding = LATE_SHARE * owned_chance().sum(axis=1)[kind[account]]
    ends = np.full(len(other), float(len(DAYS)))
    stays = ~career["churned"].to_numpy()
    later = float(len(DAYS)) + _LONGEST_CYCLE
    spans = [
        (other, entering * loses[other], np.zeros(len(other)), ends),
        (account, adding * loses[account], career["start"].to_numpy(), career["stop"].to_numpy()),
        (other, after * entering * (1 + loses[other]), ends, np.full(len(other), later)),
        (account, after * stays * adding * (1 + loses[account]), np.full(len(account), len(DAYS)), np.full(len(account), later)),
    ]
    offered = owned_chance()
    reach = (np.arange(len(offered))[:, None] + offered.cumsum(axis=1) / offered.sum(axis=1, keepdims=True)).ravel()
    found = []
    for who, rate, begin, end in spans:
        row = np.repeat(np.arange(len(who)), rng.poisson(rate))
        at = np.searchsorted(reach, kind[who[row]] + rng.random(len(row)) * (1 - 1e-9), side="right")
        found.append(
            pd.DataFrame(
                {
                    "account": who[row],
                    "product": at % offered.shape[1],
                    "closes": rng.uniform(begin[row], end[row]),
                    "stage": "lost",
                }
            )
        )
    return found


def _pair() -> tuple[int, int]:
    """Numbers of the two products of the affinity."""
    products = list(PRODUCTS)
    return products.index(AFFINITY[0]), products.index(AFFINITY[1])


def _clock() -> tuple[Floats, Ints]:
    """Demand so far, in years, by sector and day (shape sectors x days + 1), and the working day on or before each."""
    day = np.arange(len(DAYS))
    season = 1 + SEASON * np.cos(2 * np.pi * (DAYS.dayofyear.to_numpy() - _SEASON_PEAK) / 365.25)
    working = DAYS.dayofweek.to_numpy() < 5
    growth = np.array([sector.growth for sector in SECTORS.values()])[:, None]
    weight = np.where(working, season, 0) * 7 / 5 / 365.25 * np.exp(growth * (day - len(DAYS) / 2) / 365.25)
    business = np.maximum.accumulate(np.where(working, day, working.argmax()))
    return np.hstack([np.zeros((len(SECTORS), 1)), weight.cumsum(axis=1)]), np.append(business, business[-1])


def _day_at(clock: Floats, sector: Ints, demand: Floats) -> Ints:
    """Invert the clock: the day on which each sector's demand reaches the given height."""
    height = clock[:, -1].max() + 1
    ladder = (np.arange(len(clock))[:, None] * height + clock[:, 1:]).ravel()
    found = np.searchsorted(ladder, sector * height + demand, side="right")
    return np.minimum(found - sector * clock[:, 1:].shape[1], len(DAYS) - 1)

"""The ideal customer: which traits set the won apart from the market, how sure that is, and how well others fit."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import expit

from territory_lab.errors import BadInput, Fault
from territory_lab.scoring._checks import account_faults, won_faults
from territory_lab.scoring._evidence import Evidence, gather, stated
from territory_lab.scoring._learn import learn, split
from territory_lab.scoring._rules import Floats, Rule, read_rules
from territory_lab.scoring.logit import fit_logit
from territory_lab.scoring.priority import tiers
from territory_lab.scoring.traits import design

TRAITS = ("sector", "employees", "revenue", "density", "median_income", "area_kind")
_GRID = 1001  # quantiles of the market kept for percentiles
_TOLD = 3  # traits named in an explanation
_WEAK = 10.0  # prior standard deviation of the one slope of stated weights, log-odds: next to none


class IdealCustomerProfile:
    """
    Traits that set the won accounts apart from the market, as a rule card that scores any account.

    The profile is contrastive: a logistic regression of won against the whole market on readable traits. Likeness to
    the won alone says nothing, since what is common among the won may be as common everywhere. Only traits that stand
    a test adjusted for their number get a weight.

    Parameters
    ----------
    traits : sequence of str or None
        Columns of ``accounts`` to try: numbers enter by their logarithm with one bend,
        everything else by level. None: those of
        sector, employees, revenue, density, median_income and area_kind that are there.
    prior : float or None
        Stated share of the market that would buy if approached. Not won is not unwilling: with a prior the
        probabilities are raised accordingly (Elkan and Noto 2008); without one they mean "is a customer today".
    seed : int
        Deals the accounts into the folds on which the profile is checked.
    """

    def __init__(self, *, traits: Sequence[str] | None = None, prior: float | None = None, seed: int = 0) -> None:
        if prior is not None and not 0 < prior <= 1:
            raise BadInput([Fault("settings", "prior", "", f"{prior} is no share", "give a share above 0, at most 1")])
        self.traits, self.prior, self.seed = traits, prior, seed
        self._rules: dict[str, Rule] = {}
        self._intercept: float | None = None
        self._raise = 1.0
        self._market: Floats | None = None
        self._evidence: Evidence | None = None
        self.previous: Self | None = None

    @classmethod
    def from_rules(cls, rules: Mapping[str, Any]) -> Self:
        """
        Take a rule card as stated, learned or edited.

        Parameters
        ----------
        rules : mapping
            Trait to ``{level: weight}``, or to ``{"at": [...], "weight": [...], "log": bool}`` for a number;
            ``intercept``: log-odds of the average account. What :meth:`rules` returns, or a TOML file holds.

        Returns
        -------
        IdealCustomerProfile
            Ready to score; probabilities need an intercept or :meth:`calibrate`.

        Raises
        ------
        BadInput
            With every trait that cannot be read.
        """
        profile = cls(traits=[trait for trait in rules if trait != "intercept"])
        profile._intercept, profile._rules = read_rules(rules)
        return profile

    def rules(self) -> dict[str, Any]:
        """
        Return the rule card as plain values, for TOML or an editor.

        Returns
        -------
        dict
            Trait to its weights in log-odds against the average account, and ``intercept`` where it is known.
        """
        card: dict[str, Any] = {} if self._intercept is None else {"intercept": self._intercept}
        return card | {trait: rule.plain() for trait, rule in self._rules.items()}

    def edit(self, changes: Mapping[str, Any]) -> Self:
        """
        Change some weights by hand; the profile itself stays as it is.

        Parameters
        ----------
        changes : mapping
            Trait to ``{level: weight}`` for the levels that change, to a whole ``{"at": ..., "weight": ...}`` for a
            number, to a factor that stretches its weights, or to None to drop the trait; or ``intercept``.

        Returns
        -------
        IdealCustomerProfile
            An edited profile, whose ``previous`` is this one. Its weights are stated, and its scores rank the accounts
            given.

        Raises
        ------
        BadInput
            With every trait that cannot be read.
        """
        card = self.rules()
        for trait, change in changes.items():
            if isinstance(change, Mapping) and "at" not in change:
                card[trait] = card.get(trait, {}) | change
            elif isinstance(change, int | float) and trait in self._rules:
                card[trait] = self._rules[trait].scaled(change).plain()
            else:
                card[trait] = change
        edited = self.from_rules({trait: rule for trait, rule in card.items() if rule is not None})
        edited.previous = self
        return edited

    def fit(self, accounts: pd.DataFrame, won: pd.Series, *, place: str | None = None) -> Self:
        """
        Learn the weights from who was won and who was not.

        Parameters
        ----------
        accounts : DataFrame
            The market, won accounts included, indexed by account_id; ``parent_id``, where there, keeps an account
            family in one fold of the check.
        won : Series of bool
            By account_id; accounts that it does not name count as not won.
        place : str or None
            Column of ``accounts`` that says where or by whom it is sold to (state, territory_id, owner_id): a chosen
            trait that no longer stands the test beside it is flagged as a proxy for where the team sells.

        Returns
        -------
        IdealCustomerProfile
            This profile, fitted.

        Raises
        ------
        BadInput
            With every fault in the accounts or the won.
        """
        tried = self._tried(accounts)
        faults = account_faults(accounts, [*tried, *([place] if place else [])]) + won_faults(accounts, won)
        if faults:
            raise BadInput(faults)
        flag = won.reindex(accounts.index, fill_value=False).to_numpy(bool)
        designs = [design(accounts[trait]) for trait in tried if len(accounts[trait].dropna().unique()) > 1]
        found = learn(designs, flag.astype(float))
        parts = split(found.chosen, found.fitted)
        self._rules = {one.trait: one.rule(coef) for one, (coef, _) in zip(found.chosen, parts, strict=True)}
        self._intercept = float(found.fitted.coef[0])
        self._raise = 1.0 if self.prior is None else max(1.0, self.prior / flag.mean())
        self._market = _grid(self._log_odds(accounts))
        self._evidence = gather(accounts, designs, found, self._rules, flag, place=place, seed=self.seed)
        return self

    def calibrate(self, accounts: pd.DataFrame, won: pd.Series) -> Self:
        """
        Give stated weights their probabilities: one slope and one intercept, fitted to who was won.

        Parameters
        ----------
        accounts : DataFrame
            The market, indexed by account_id.
        won : Series of bool
            By account_id.

        Returns
        -------
        IdealCustomerProfile
            This profile, the proportions between its weights kept, now in log-odds.

        Raises
        ------
        BadInput
            With every fault; also where the stated points run against who was won.
        """
        faults = account_faults(accounts, list(self._rules)) + won_faults(accounts, won)
        if faults:
            raise BadInput(faults)
        flag = won.reindex(accounts.index, fill_value=False).to_numpy(bool)
        points = self._points(accounts)
        middle, scale = points.mean(), points.std() or 1.0
        fitted = fit_logit(((points - middle) / scale)[:, None], flag.astype(float), _WEAK)
        slope = float(fitted.coef[1] / scale)
        if slope <= 0:
            mend = "state other weights, or learn them with fit"
            raise BadInput([Fault("rules", "", "", "higher points go with fewer won accounts", mend)])
        self._rules = {trait: rule.scaled(slope) for trait, rule in self._rules.items()}
        self._intercept = float(fitted.coef[0] - slope * middle)
        self._market = _grid(self._log_odds(accounts))
        return self

    def probability(self, accounts: pd.DataFrame) -> pd.Series:
        """
        Say how likely each account is to be a customer (with a ``prior``: to buy if approached).

        Parameters
        ----------
        accounts : DataFrame
            Indexed by account_id, with the traits of the rule card.

        Returns
        -------
        Series of float64
            ``probability`` by account_id.

        Raises
        ------
        BadInput
            Where the accounts have faults, or stated weights were never calibrated.
        """
        self._checked(accounts)
        if self._intercept is None:
            mend = "call calibrate(accounts, won), or state an intercept"
            raise BadInput([Fault("rules", "intercept", "", "stated weights carry no probability", mend)])
        values = np.minimum(1.0, expit(self._log_odds(accounts)) * self._raise)
        return pd.Series(values, accounts.index, name="probability")

    def score(self, accounts: pd.DataFrame) -> pd.Series:
        """
        Rank each account against the market.

        Parameters
        ----------
        accounts : DataFrame
            Indexed by account_id, with the traits of the rule card.

        Returns
        -------
        Series of float64
            ``score`` by account_id: the share of the market that fits less well, 0-100 (ties count half). The market
            is the one the profile was fitted or calibrated on; for stated weights, the accounts given.

        Raises
        ------
        BadInput
            With every fault in the accounts.
        """
        self._checked(accounts)
        log_odds = self._log_odds(accounts)
        market = np.sort(log_odds) if self._market is None else self._market
        below, upto = (np.searchsorted(market, log_odds, side=side) for side in ("left", "right"))
        return pd.Series(50 * (below + upto) / len(market), accounts.index, name="score")

    def assess(self, accounts: pd.DataFrame) -> pd.DataFrame:
        """
        Give probability, score and tier together.

        Parameters
        ----------
        accounts : DataFrame
            Indexed by account_id, with the traits of the rule card.

        Returns
        -------
        DataFrame
            By account_id: probability (0-1), score (0-100), tier (A-D, by score among the accounts given).
        """
        score = self.score(accounts)
        return pd.DataFrame({"probability": self.probability(accounts), "score": score, "tier": tiers(score)})

    def explain(self, accounts: pd.DataFrame) -> pd.DataFrame:
        """
        Say what makes each account's score.

        Parameters
        ----------
        accounts : DataFrame
            Indexed by account_id, with the traits of the rule card.

        Returns
        -------
        DataFrame
            By account_id: score (0-100), base (log-odds of the average account; 0 where not known), one column for
            each trait with what it adds to the log-odds, and reason, the strongest traits in words.
        """
        score = self.score(accounts)
        added = pd.DataFrame({trait: rule.of(accounts[trait]) for trait, rule in self._rules.items()}, accounts.index)
        strongest = np.argsort(-np.abs(added.to_numpy()), axis=1, kind="stable")[:, :_TOLD]
        reasons = [
            ", ".join(_reason(accounts[added.columns[j]].iloc[i], added.columns[j], added.iloc[i, j]) for j in row)
            for i, row in enumerate(strongest)
        ]
        base = self._intercept or 0.0
        told = added.assign(reason=pd.Series(reasons, accounts.index, dtype="str"))
        return pd.concat([pd.DataFrame({"score": score, "base": base}), told], axis=1)

    def profile(self) -> pd.DataFrame:
        """
        Show the rule card with its evidence, strongest trait first.

        Returns
        -------
        DataFrame
            trait, level (a band where the trait is a number), share_won, share_market, lift, lift_low, lift_high
            (95 %), weight (log-odds over the average account; 0 where the trait was not chosen).
        """
        return stated(self._rules) if self._evidence is None else self._evidence.profile.copy()

    def weights(self) -> pd.DataFrame:
        """
        Show every weight tried, with its interval and test.

        Returns
        -------
        DataFrame
            trait, part (the level; of a number the slope ``per doubling`` and its ``bend``, the change of the slope
            above the middle of the market), weight, low, high (log-odds, 95 %), p_value (of the trait,
            adjusted for the number of traits), chosen, proxy. Traits not chosen show what they would weigh beside all
            others.
        """
        return self._fitted().weights.copy()

    def card(self) -> dict[str, Any]:
        """
        Say how much the profile knows.

        Returns
        -------
        dict
            accounts, won, auc with auc_low and auc_high (95 %, on accounts held out in turn), chosen and
            not_chosen traits, proxies, prior, verdict in words.
        """
        known = self._fitted()
        tried = list(known.weights["trait"].unique())
        return {
            "accounts": known.accounts,
            "won": known.won,
            "auc": known.separation.auc,
            "auc_low": known.separation.low,
            "auc_high": known.separation.high,
            "chosen": [trait for trait in tried if trait in self._rules],
            "not_chosen": [trait for trait in tried if trait not in self._rules],
            "proxies": list(known.weights.loc[known.weights["proxy"], "trait"].unique()),
            "prior": self.prior,
            "verdict": known.verdict,
        }

    def _fitted(self) -> Evidence:
        """Return the evidence, or say that there is none."""
        if self._evidence is None:
            mend = "fit it to accounts and who was won"
            raise BadInput([Fault("rules", "", "", "stated weights rest on no evidence here", mend)])
        return self._evidence

    def _tried(self, accounts: pd.DataFrame) -> list[str]:
        """List the traits to try."""
        return [trait for trait in TRAITS if trait in accounts] if self.traits is None else list(self.traits)

    def _checked(self, accounts: pd.DataFrame) -> None:
        """Refuse accounts that the rules cannot be read on."""
        faults = account_faults(accounts, list(self._rules))
        if faults:
            raise BadInput(faults)

    def _points(self, accounts: pd.DataFrame) -> Floats:
        """Sum what the traits add."""
        total = np.zeros(len(accounts))
        for trait, rule in self._rules.items():
            total += rule.of(accounts[trait])
        return total

    def _log_odds(self, accounts: pd.DataFrame) -> Floats:
        """Add the average account's log-odds, where known."""
        return self._points(accounts) + (self._intercept or 0.0)


def _grid(log_odds: Floats) -> Floats:
    """Keep the market's spread in few numbers."""
    grid: Floats = np.quantile(log_odds, np.linspace(0, 1, _GRID)) if len(log_odds) > _GRID else np.sort(log_odds)
    return grid


def _reason(value: object, trait: str, added: float) -> str:
    """Say what one trait adds."""
    said = f"{value:,.4g}" if isinstance(value, int | float) else str(value)
    return f"{trait} {said} ({added:+.1f})"

"""The rule card of the ideal customer: stretch a trait, change a level, see who moves, go back, keep it."""

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as w
import pandas as pd

from territory_lab.charts.tables import table
from territory_lab.charts.words import count, plural
from territory_lab.scoring import IdealCustomerProfile, moved
from territory_lab.widgets.panel import Shown, choice, panel, slider

Card = Mapping[str, Any]
_SHOWN = 12
_COLUMNS = {"name": "Account", "sector": "Sector", "tier_before": "Tier before", "tier": "Tier"}
_COLUMNS |= {"score_before": "Score before", "score": "Score"}


def rule_card(
    cards: Mapping[str, Card],
    accounts: pd.DataFrame,
    keep: Callable[[Card | None], None],
    names: Mapping[str, str] | None = None,
) -> w.Box:
    """
    Show a rule card that can be worked on.

    Parameters
    ----------
    cards : mapping of str to mapping
        Rule cards to start from, by what they are called (learned, stated); scores are compared with the first one's.
    accounts : DataFrame
        By account_id: the traits, and name where there.
    keep : callable
        What the buttons do: it is given the card to keep, or None for back to the learned one.
    names : mapping of str to str, optional
        How levels are spelt out (sectors by their code).

    Returns
    -------
    Box
        Controls left, the accounts that move right.
    """
    profiles = {name: IdealCustomerProfile.from_rules(card) for name, card in cards.items()}
    first, said = next(iter(cards.values())), names or {}
    before = next(iter(profiles.values())).score(accounts)
    levels = {
        f"{trait}: {said.get(level, level)}": (trait, level)
        for trait, rule in first.items()
        if isinstance(rule, Mapping) and "at" not in rule
        for level in rule
    }
    controls: dict[str, w.Widget] = {  # the colon keeps them apart from traits of the same name
        ":start": choice("Start from", profiles),
        ":level": choice("Change a level", {"none": (), **levels}),
        ":weight": slider("Its weight", 0.0, -3.0, 3.0, 0.1, note="log-odds against the average account"),
    }
    controls |= {
        trait: slider(trait.replace("_", " ").capitalize(), 1.0, 0.0, 2.0, 0.1, note="times the card's weights")
        for trait in first
        if trait != "intercept"
    }

    def edited(values: Mapping[str, Any]) -> IdealCustomerProfile:
        start, level = values[":start"], values[":level"]
        card: IdealCustomerProfile = start.edit({trait: values[trait] for trait in start.rules() if trait in values})
        return card.edit({level[0]: {level[1]: values[":weight"]}}) if level else card

    def draw(**values: Any) -> Shown:  # noqa: ANN401 - whatever the controls hold
        after = moved(before, edited(values).score(accounts))
        entering = int(((after["tier"] == "A") & (after["tier_before"] != "A")).sum())
        told = f"{plural(entering, 'account')} of {count(len(after))} would enter tier A."
        if not after["change"].any():
            return told
        shown = after.head(_SHOWN).join(accounts)
        return [told, table(shown.replace({"sector": said}), _COLUMNS, caption="The accounts that move most")]

    past: list[tuple[w.Widget, Any]] = []

    def undo(_: w.Button) -> None:
        if past:
            control, value = past.pop()
            control.value = value
            past.pop()  # the step back is no step of its own

    for control in controls.values():
        control.observe(lambda change: past.append((change["owner"], change["old"])), "value")
    acts = {
        "Undo": undo,
        "Keep this card": lambda _: keep(edited({name: control.value for name, control in controls.items()}).rules()),
        "Back to what is learned": lambda _: keep(None),
    }
    buttons = [w.Button(description=label, layout=w.Layout(width="100%")) for label in acts]
    for button, act in zip(buttons, acts.values(), strict=True):
        button.on_click(act)
    box = panel(controls, draw, code=lambda **values: f"book.keep_rules(space, {edited(values).rules()!r})")
    box.children[0].children += tuple(buttons)
    return box

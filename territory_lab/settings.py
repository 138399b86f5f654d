"""What the analyst states rather than what the data says."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from territory_lab.errors import BadInput, Fault

SETTINGS = "workspace.toml"
H3_RESOLUTIONS = (0, 3, 4, 5, 6, 7)
LEAST_PART = 1_000  # accounts


@dataclass(frozen=True)
class Settings:
    """
    What the analyst states rather than what the data says; kept in ``workspace.toml``.

    Parameters
    ----------
    name : str
        Whose workspace it is.
    currency : str
        ISO 4217 code that every money column is in.
    seed : int
        Seed of every random draw; same data, settings and seed give the same bytes.
    horizon_days : int
        How far ahead propensity looks.
    tolerance_share : float
        How far a territory's workload may lie from its target, as a share.
    win_rate_share : float
        Share of opportunities that are won, where no opportunities tell.
    margin_share : float
        Gross margin as a share of sales, where no products tell.
    rep_cost : float
        Money that a rep costs a year, all told.
    bounds : tuple of float
        (west, south, east, north) in degrees that hold every account; empty: the whole world.
    h3_resolution : int
        Size of the hexagons that stand for units where there is no table of units, 3 (large) to 7; 0: counties.
    need_share, reach_share : float
        Share of the establishments that need the product, and of those that the team reaches.
    capacity_share : float
        Share of a list of accounts that reps can work within a horizon.
    quota_history_share, quota_potential_share : float
        How much of a quota follows last year's sales and what could be sold; the rest follows workload.
    part_accounts : int
        A company with more accounts is gone through in parts of about as many, and learnt from one of them.
    """

    name: str = "workspace"
    currency: str = "USD"
    seed: int = 0
    horizon_days: int = 90
    tolerance_share: float = 0.10
    win_rate_share: float = 0.25
    margin_share: float = 0.35
    rep_cost: float = 180_000.0
    bounds: tuple[float, ...] = ()
    h3_resolution: int = 0
    need_share: float = 1.0
    reach_share: float = 1.0
    capacity_share: float = 0.2
    quota_history_share: float = 0.5
    quota_potential_share: float = 0.4
    part_accounts: int = 100_000

    @classmethod
    def read(cls, file: Path) -> Self:
        """
        Read settings; a missing file gives the defaults.

        Parameters
        ----------
        file : Path
            A ``workspace.toml``.

        Returns
        -------
        Settings
            As stated, defaults where nothing is.

        Raises
        ------
        BadInput
            For a key that is unknown or a value of the wrong kind.
        """
        if not file.exists():
            return cls()
        try:
            stated = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise BadInput([Fault(SETTINGS, "", "", str(error), "correct the TOML")]) from error
        return cls.of(stated)

    @classmethod
    def of(cls, stated: Mapping[str, Any]) -> Self:
        """
        Take settings as stated.

        Parameters
        ----------
        stated : mapping of str to object
            By the names of settings.

        Returns
        -------
        Settings
            Defaults where nothing is stated.

        Raises
        ------
        BadInput
            For a key that is unknown or a value of the wrong kind.
        """
        known = {key: type(value) for key, value in asdict(cls()).items()}
        faults = [
            Fault(SETTINGS, key, "", "unknown setting", "one of " + ", ".join(known))
            if key not in known
            else Fault(SETTINGS, key, "", f"{value!r} is not of kind {known[key].__name__}", "correct it")
            for key, value in stated.items()
            if key not in known or not _fits(value, known[key])
        ]
        bounds = stated.get("bounds", [])
        if isinstance(bounds, list) and not (
            len(bounds) in (0, 4) and all(type(part) in (int, float) for part in bounds)
        ):
            faults.append(Fault(SETTINGS, "bounds", "", "needs four numbers", "west, south, east, north"))
        if stated.get("h3_resolution", 0) not in H3_RESOLUTIONS:
            size = str(stated["h3_resolution"])
            faults.append(Fault(SETTINGS, "h3_resolution", "", f"{size} is no size", "3 (large) to 7 (small), or 0"))
        if not faults and stated.get("part_accounts", LEAST_PART) < LEAST_PART:
            mend = f"give {LEAST_PART:,} or more: a part must be enough to learn from"
            faults.append(Fault(SETTINGS, "part_accounts", "", f"{stated['part_accounts']} are too few", mend))
        if faults:
            raise BadInput(faults)
        return replace(cls(), **{key: known[key](value) for key, value in stated.items()})

    @property
    def quota_weights(self) -> dict[str, float]:
        """How much history, potential and workload count in a quota."""
        rest = max(0.0, 1 - self.quota_history_share - self.quota_potential_share)
        return {"history": self.quota_history_share, "potential": self.quota_potential_share, "workload_h": rest}


def _fits(value: object, kind: type) -> bool:
    """Whether a stated value is of its kind, and a number one that can be reckoned with."""
    return isinstance(value, _TOML_KINDS[kind]) and (not isinstance(value, int | float) or abs(value) < _LARGEST)


_LARGEST = 1e15
_TOML_KINDS: dict[type, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float), tuple: (list,)}

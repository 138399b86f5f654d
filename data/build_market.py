"""
Employees and establishments by area and sector, estimated from what people do for a living there.

The Bureau of Labor Statistics publishes employment by occupation for each area, and by occupation and industry for
the nation. Each area's occupations are dealt to sectors in the nation's proportions, then raked to the area's total
and to the nation's total of each sector in turn.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from build_counties import MERGED_METROS, area_names, oews

RAKING_ROUNDS = 20

# Sector; employees and establishments of all metro and micro areas in County Business Patterns 2018 (Census, public
# domain), whose ratio is the size of an establishment; then the factors that take an estimate of employees, and of
# establishments, to the ends of its 80 % interval. The factors are the 10 % and 90 % points of count / estimate over
# 377 metros of that year, by sector, the wider of: as it stands, and with the nation's totals brought together first.
# They hold 85 % of the cells. tests/test_reference.py measures them again.
PATTERNS = [
    ("11", 125_856, 16_050, 0.09, 4.07, 0.17, 5.43),
    ("21", 440_483, 19_004, 0.08, 2.6, 0.21, 2.7),
    ("22", 588_338, 15_716, 0.35, 2.36, 0.64, 2.94),
    ("23", 6_751_027, 700_252, 0.62, 1.15, 0.6, 1.49),
    ("31-33", 10_853_457, 261_033, 0.5, 1.54, 0.6, 1.55),
    ("42", 5_856_566, 375_555, 0.5, 1.28, 0.64, 1.23),
    ("44-45", 14_993_189, 976_587, 0.88, 1.26, 0.85, 1.34),
    ("48-49", 5_145_141, 227_796, 0.34, 1.28, 0.53, 1.52),
    ("51", 3_456_433, 148_211, 0.49, 1.58, 0.82, 2.09),
    ("52", 6_126_132, 446_397, 0.56, 1.35, 0.9, 1.78),
    ("53", 2_193_053, 411_858, 0.53, 1.13, 0.64, 1.34),
    ("54", 8_839_913, 897_617, 0.43, 1.1, 0.6, 1.41),
    ("55", 3_466_155, 50_934, 0.16, 2.0, 0.55, 1.93),
    ("56", 7_663_492, 403_583, 0.47, 1.16, 0.68, 1.39),
    ("61", 3_717_221, 104_993, 0.06, 1.43, 0.28, 1.24),
    ("62", 19_970_583, 877_557, 0.75, 1.28, 0.71, 1.35),
    ("71", 2_448_163, 143_904, 0.47, 1.2, 0.63, 1.32),
    ("72", 13_985_005, 701_269, 0.83, 1.19, 0.81, 1.27),
    ("81", 5_410_420, 722_414, 0.74, 1.6, 0.85, 1.74),
]
# Public employers are outside the Patterns but inside the occupations. Public schools 2019-20: NCES Digest of
# Education Statistics, 2021, table 216.30. Local governments 2022: Census of Governments, one establishment each; their
# interval is that of the sector least well known, education.
PUBLIC_SCHOOLS = 98_469
LOCAL_GOVERNMENTS = 90_837


def national_employment(source: dict[str, Path]) -> pd.DataFrame:
    """Read the nation's employment by occupation (rows) and sector (columns), NaN where not released."""
    with oews(source) as connection:
        query = """
            SELECT substr(key, 12, 6) AS sector, substr(key, 18, 6) AS occupation, v01 AS employees FROM cell
            JOIN industry ON industry_code = substr(key, 12, 6) WHERE key LIKE 'OEUN%' AND sector LIKE '%-%'"""
        cells = pd.read_sql(query, connection)
    cells["sector"] = cells["sector"].map(_sector)
    return cells.assign(employees=pd.to_numeric(cells["employees"], errors="coerce")).pivot_table(
        index="occupation", columns="sector", values="employees", aggfunc="sum", min_count=1
    )


def _sector(code: str) -> str:
    """Turn the code of BLS (``31--34``, up to but without 34) into that of the Census (``31-33``)."""
    first, last = (int(part) for part in code.split("-") if part)
    if first == 99:  # government, without schools, hospitals and the Postal Service
        return "92"
    return str(first) if last == first + 1 else f"{first}-{last - 1}"


def area_employment(source: dict[str, Path]) -> pd.DataFrame:
    """Read each area's employment by occupation (columns), NaN where not released; rows by ``area_id``."""
    with oews(source) as connection:
        query = """
            SELECT substr(key, 5, 7) AS area_code, substr(key, 18, 6) AS occupation, v01 AS employees FROM cell
            WHERE key LIKE 'OEUM%'"""
        cells = pd.read_sql(query, connection)
    cells["employees"] = pd.to_numeric(cells["employees"], errors="coerce")
    return cells.pivot_table(index="area_code", columns="occupation", values="employees", dropna=False)


def deal_to_sectors(local: pd.DataFrame, national: pd.DataFrame) -> pd.DataFrame:
    """
    Estimate employment by area and sector.

    What an area or a sector does not release of a major group's detail is dealt in the major group's proportions.
    """
    total = local["000000"]
    shares = national.fillna(0).div(national.sum(axis=1), axis=0)
    majors = [code for code in national.index if code.endswith("0000") and code != "000000"]
    dealt = pd.DataFrame(0.0, index=local.index, columns=national.columns)
    for major in majors:
        detail = [code for code in local if code[:2] == major[:2] and code != major and code in shares.index]
        known = local[detail].fillna(0)
        rest = (local[major].fillna(0) - known.sum(axis=1)).clip(lower=0)
        dealt += known @ shares.loc[detail] + np.outer(rest, shares.loc[major])
    sectors = national.loc["000000"] / national.loc["000000"].sum() * total.sum()
    for _ in range(RAKING_ROUNDS):
        dealt = dealt.mul(total / dealt.sum(axis=1), axis=0)
        dealt = dealt.mul(sectors / dealt.sum(), axis=1)
    return dealt


def merge_areas(dealt: pd.DataFrame, names: pd.DataFrame, letters: dict[str, str]) -> pd.DataFrame:
    """Name the areas as the counties do: metros by code, all that lies outside metros as one area of its state."""
    code = names["area_code"].str[-5:].replace(MERGED_METROS)
    outside = names["fips"].map(letters) + "-nonmetro"
    area_id = code.where(~names["name"].str.contains("nonmetropolitan"), outside)
    return dealt.groupby(dealt.index.map(dict(zip(names["area_code"], area_id, strict=True)))).sum()


def market(source: dict[str, Path], counties: pd.DataFrame) -> pd.DataFrame:
    """Build the table of employees and establishments by area and sector."""
    names, national = area_names(source), national_employment(source)
    dealt = deal_to_sectors(area_employment(source).loc[names["area_code"]], national)
    letters = dict(zip(counties["unit_id"].str[:2], counties["state"], strict=True))
    wide = merge_areas(dealt, names, letters).rename_axis(index="area_id", columns="sector")
    table = wide.reset_index().melt("area_id", value_name="employees")

    columns = ["sector", "jobs", "sites", "low", "high", "sites_low", "sites_high"]
    patterns = pd.DataFrame(PATTERNS, columns=columns).set_index("sector")
    patterns.loc["92"] = patterns.loc["61"]
    patterns.loc["61", ["jobs", "sites"]] = [national.loc["000000", "61"], patterns.loc["61", "sites"] + PUBLIC_SCHOOLS]
    patterns.loc["92", ["jobs", "sites"]] = [national.loc["000000", "92"], LOCAL_GOVERNMENTS]
    of = patterns.loc[table["sector"]].reset_index(drop=True)
    table["employees_low"], table["employees_high"] = table["employees"] * of["low"], table["employees"] * of["high"]
    table["establishments"] = table["employees"] * of["sites"] / of["jobs"]
    table["establishments_low"] = table["establishments"] * of["sites_low"]
    table["establishments_high"] = table["establishments"] * of["sites_high"]
    return table.round(1).assign(source="estimate").sort_values(["area_id", "sector"], ignore_index=True)

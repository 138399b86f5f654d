"""A sample company that does not fit into memory, written piece by piece."""

import os
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from territory_lab.errors import BadInput, Fault
from territory_lab.sample.company import company, write

PIECE = 500_000  # accounts made at once
_GROWING = {
    "accounts": ("account_id", "parent_id"),
    "orders": ("order_id", "account_id"),
    "opportunities": ("opportunity_id", "account_id"),
    "calls": ("call_id", "account_id"),
}


def write_large(
    folder: str | os.PathLike[str], size: int, seed: int = 0, *, orders_a_year: float = 7.0, piece: int = PIECE
) -> dict[str, int]:
    """
    Write a sample company of any size as Parquet: as many companies side by side, of the same reps and products.

    Parameters
    ----------
    folder : path
        Made where it is missing.
    size : int
        Number of accounts, a multiple of ``piece``.
    seed : int
        Same size and seed, same bytes.
    orders_a_year : float
        Orders of a middling customer.
    piece : int
        Accounts held at once.

    Returns
    -------
    dict of str to int
        Rows by table.

    Raises
    ------
    BadInput
        Where ``size`` is no multiple of ``piece``.
    """
    if size < piece or size % piece:
        mend = f"give a multiple of {piece:,}, or another piece"
        raise BadInput([Fault("sample", "size", "", f"{size:,} accounts are no whole number of pieces", mend)])
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    rows: dict[str, int] = {}
    quotas: list[pd.Series] = []
    with ExitStack() as files:
        writers: dict[str, pq.ParquetWriter] = {}
        for number in range(size // piece):
            tables = company(piece, seed + number, orders_a_year=orders_a_year)[0]
            quotas.append(tables["reps"]["quota"])
            for name, ids in _GROWING.items():
                table = _renamed(pa.Table.from_pandas(tables.pop(name), preserve_index=False), ids, f"{number:03}")
                if name not in writers:
                    file = target / f"{name}.parquet"
                    writers[name] = files.enter_context(pq.ParquetWriter(file, table.schema, compression="zstd"))
                writers[name].write_table(table.cast(writers[name].schema))
                rows[name] = rows.get(name, 0) + len(table)
    reps = tables["reps"].assign(quota=sum(quotas))
    write(tables | {"reps": reps}, target)
    return rows | {name: len(table) for name, table in tables.items()}


def _renamed(table: pa.Table, columns: tuple[str, ...], number: str) -> pa.Table:
    """Put the piece's number after the letter of its ids."""
    for column in columns:
        ids = pc.utf8_replace_slice(table[column], start=1, stop=1, replacement=number)
        table = table.set_column(table.schema.get_field_index(column), column, ids)
    return table

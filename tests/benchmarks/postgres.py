"""A million accounts out of PostgreSQL into a workspace: seconds and the most memory."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sqlalchemy import text

from tests import postgres
from tests.benchmarks.common import show

_FILL = """
CREATE TABLE accounts AS
SELECT 'A' || g AS account_id, 'Firm ' || md5(g::text) AS name, lpad((g % 200)::text, 3, '0') AS rep,
       (ARRAY['31-33', '42', '44-45', '54', '62'])[1 + g % 5] AS sector, 1 + g % 5000 AS employees,
       lpad((501 + g % 99449)::text, 5, '0') AS postcode,
       'City ' || g % 20000 AS city, CASE WHEN g % 10 = 0 THEN 'A' || g - 1 END AS parent_id,
       round((1000 + g::bigint * 7919 % 9999991)::numeric, 2) AS revenue, 'US' AS country,
       ST_Point(-120 + (g::bigint * 7919 % 45000) / 1000.0, 32 + (g::bigint * 104729 % 15000) / 1000.0, 4326) AS geom,
       DATE '2015-01-01' + g % 3650 AS created_date, 'R' || g % 200 AS owner_id
FROM generate_series(1, 1000000) AS g;
CREATE TABLE reps AS SELECT 'R' || g AS rep_id, 'Rep ' || g AS name FROM generate_series(0, 199) AS g;
"""
_TIMED = """
import json, resource, sys, time
from pathlib import Path
import pyarrow.parquet as pq
from territory_lab import crm
start = time.perf_counter()
space, intake = crm.create(Path(sys.argv[1]), sys.argv[2], crm.Layout.of("csv"))
used = resource.getrusage(resource.RUSAGE_SELF)
rows = pq.read_metadata(space.files["accounts"]).num_rows
whole = bool((intake.ledger["rows"] == intake.ledger["used"] + intake.ledger["set_aside"]).all())
print(json.dumps({"rows": rows, "wall_s": time.perf_counter() - start, "cpu_s": used.ru_utime + used.ru_stime,
                  "peak_mb": used.ru_maxrss / 1024, "accounted": whole}))
"""


def main() -> None:
    """Fill a cluster of one's own, and read it in a process of its own."""
    with postgres.cluster() as address, tempfile.TemporaryDirectory() as place:
        with postgres.admin(address) as connection:
            connection.execute(text(_FILL))
        told = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", _TIMED, str(Path(place) / "own"), address],
            env=os.environ | {"TERRITORY_LAB_SQL_PASSWORD": postgres.PASSWORD},
            check=True,
            capture_output=True,
            text=True,
        )
    show("A million accounts from PostgreSQL", [json.loads(told.stdout)])

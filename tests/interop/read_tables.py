"""Reads every table of a store with pandas, Polars and DuckDB, one call each, and compares what
they see with the grid that was asked for.

read_tables.py STORE PLANNED.json, where PLANNED.json has the trial ids of each sweep.
"""

import json
import math
import sys
from pathlib import Path

import duckdb
import pandas
import polars

store, planned = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
HYPERPARAMETERS = {"depth": int, "width": int, "learning_rate": float, "seed": int, "activation": str}
# What makes a row of each table one of its kind.
KEYS = {
    "trials": ["sweep", "trial_id"],
    "history": ["sweep", "trial_id", "step"],
    "layers": ["sweep", "trial_id", "step", "layer"],
    "basins": ["sweep", "trial_id", "step", "space", "scope", "threshold"],
}


def rows_by_reader(table):
    folder = store / table
    yield "pandas", pandas.read_parquet(folder).to_dict("records")
    yield "polars", polars.read_parquet(folder).to_dicts()
    query = f"SELECT * FROM read_parquet('{folder}/*/*.parquet')"
    # Not fetchall(): for times with a zone it wants pytz besides.
    yield "duckdb", duckdb.sql(query).df().to_dict("records")


def is_missing(value):
    return value is None or (isinstance(value, float) and math.isnan(value))


def check(table, reader, rows):
    where = f"{table} in {reader}"
    assert rows, f"{where}: no rows"
    keys = [tuple(row[key] for key in KEYS[table]) for row in rows]
    assert len(set(keys)) == len(keys), f"{where}: a row stands twice"
    for sweep, ids in planned.items():
        seen = {row["trial_id"] for row in rows if row["sweep"] == sweep}
        assert seen == set(ids), f"{where}: {sweep} has other trials than asked for"
    assert {row["sweep"] for row in rows} == set(planned), f"{where}: other sweeps"
    for row in rows:
        for name, kind in HYPERPARAMETERS.items():
            assert isinstance(row[name], kind), f"{where}: {name} is {row[name]!r}"
    if table == "trials":
        assert len(rows) == sum(map(len, planned.values())), where
        grid = {(r["depth"], r["width"], r["learning_rate"]) for r in rows if r["sweep"] == "first"}
        expected = {(d, w, lr) for d in (1, 2) for w in (3, 4) for lr in (0.01, 0.1, 1.0)}
        assert grid == expected, f"{where}: {grid}"
    if table == "layers":
        layers = {(row["trial_id"], row["layer"]) for row in rows}
        assert all(1 <= row["layer"] <= row["depth"] for row in rows), where
        assert len(layers) == 2 * 3 * (1 + 2) + 3, where
        assert all(len(row["rpd"]) == 20 for row in rows if not is_missing_list(row["rpd"])), where


def is_missing_list(value):
    return value is None or isinstance(value, float)


counts = {}
for table in KEYS:
    seen = {}
    for reader, rows in rows_by_reader(table):
        check(table, reader, rows)
        numbers = [
            sorted(row[name] for row in rows if not is_missing(row[name]))
            for name in ("learning_rate", "width")
        ]
        seen[reader] = (len(rows), sorted(rows[0]), numbers)
    assert len({repr(one) for one in seen.values()}) == 1, f"{table}: the readers differ"
    counts[table] = seen["pandas"][0]
print("rows read alike by pandas, polars and duckdb:", counts)

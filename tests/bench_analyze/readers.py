"""One aggregation in one library, over the files of a store, timed without its import.

    readers.py pandas|polars|duckdb phase|group|layers STORE shards|compacted

phase: what `phasegrid phase` computes of each cell (count, finished, mean, deviation, quartiles of
test_accuracy over depth, width and learning rate); group: mean and count; layers: mean of a column
of `layers` by depth and layer. Prints JSON: seconds, and the rows' count and a checksum.
"""

import json
import sys
import time

KEYS = ["depth", "width", "learning_rate"]


def pattern(store, table, form):
    folder = store if form == "shards" else f"{store}/_compact"
    return f"{folder}/{table}/sweep=million/*.parquet"


def with_pandas(task, store, form):
    import glob

    import pandas
    import pyarrow.parquet  # noqa: F401  read_parquet imports it lazily

    def read(table, columns):
        # A list of files: pandas' own listing would include nothing else, but costs more.
        return pandas.read_parquet(sorted(glob.glob(pattern(store, table, form))), columns=columns)

    def work():
        if task == "layers":
            rows = read("layers", ["depth", "layer", "rpd_gradient"])
            out = rows.groupby(["depth", "layer"])["rpd_gradient"].mean()
            return len(out), out.sum()
        if task == "group":
            out = read("trials", [*KEYS, "test_accuracy"]).groupby(KEYS)["test_accuracy"].agg(["mean", "count"])
            return len(out), out["mean"].sum()
        rows = read("trials", [*KEYS, "status", "test_accuracy"])
        all_of = rows.groupby(KEYS).size()
        groups = rows[rows["status"] == "ok"].groupby(KEYS)["test_accuracy"]
        out = groups.agg(["mean", "std", "median", "count"])
        quartiles = groups.quantile([0.25, 0.75]).unstack()
        return len(all_of), out["mean"].sum() + 0 * quartiles.iloc[0, 0]

    return work


def with_polars(task, store, form):
    import polars

    value = polars.col("test_accuracy")

    def work():
        table = "layers" if task == "layers" else "trials"
        scan = polars.scan_parquet(pattern(store, table, form), hive_partitioning=False)
        if task == "layers":
            out = scan.group_by("depth", "layer").agg(polars.col("rpd_gradient").mean())
            out = out.collect(engine="streaming")
            return len(out), out["rpd_gradient"].sum()
        if task == "group":
            out = scan.group_by(KEYS).agg(value.mean().alias("mean"), value.count().alias("n"))
        else:
            ok = value.filter(polars.col("status") == "ok")
            out = scan.group_by(KEYS).agg(
                polars.len().alias("n"),
                ok.count().alias("n_ok"),
                ok.mean().alias("mean"),
                ok.std().alias("std"),
                ok.median().alias("median"),
                ok.quantile(0.25).alias("lower"),
                ok.quantile(0.75).alias("upper"),
            )
        out = out.collect(engine="streaming")
        return len(out), out["mean"].sum()

    return work


def with_duckdb(task, store, form):
    import duckdb

    connection = duckdb.connect()
    table = "layers" if task == "layers" else "trials"
    source = f"read_parquet('{pattern(store, table, form)}', hive_partitioning = false)"
    if task == "layers":
        sql = f"SELECT depth, layer, avg(rpd_gradient) AS mean FROM {source} GROUP BY ALL"
    elif task == "group":
        sql = f"SELECT {', '.join(KEYS)}, avg(test_accuracy) AS mean, count(*) FROM {source} GROUP BY ALL"
    else:
        sql = f"""SELECT {', '.join(KEYS)}, count(*) AS n, count(*) FILTER (status = 'ok') AS n_ok,
            avg(test_accuracy) FILTER (status = 'ok') AS mean,
            stddev_samp(test_accuracy) FILTER (status = 'ok') AS std,
            quantile_cont(test_accuracy, [0.25, 0.5, 0.75]) FILTER (status = 'ok') AS quartiles
            FROM {source} GROUP BY ALL"""

    def work():
        columns = connection.execute(sql).fetchnumpy()
        return len(columns["mean"]), float(columns["mean"].sum())

    return work


def main():
    library, task, store, form = sys.argv[1:]
    work = {"pandas": with_pandas, "polars": with_polars, "duckdb": with_duckdb}[library](task, store, form)
    started = time.perf_counter()
    rows, checksum = work()
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "rows": rows, "checksum": float(checksum)}))


if __name__ == "__main__":
    main()

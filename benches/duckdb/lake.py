"""DuckDB's answers to the questions that benches/lake.rs wrote to windows.csv, of the lake beside it: `lake.py FOLDER`."""

import statistics
import sys
import time

import duckdb

folder = sys.argv[1]
calls = f"read_parquet('{folder}/lake/calls/*/*.parquet', hive_partitioning=true)"
duckdb.sql("SET enable_object_cache=true")
duckdb.sql("SET parquet_metadata_cache=true")
duckdb.sql("SET enable_progress_bar=false")
duckdb.sql("SET TimeZone='UTC'")
duckdb.sql(
    f"CREATE TABLE windows AS SELECT * FROM read_csv('{folder}/windows.csv', columns={{'ask': 'BIGINT', 'calling': "
    "'BIGINT', 'called': 'BIGINT', 'from': 'TIMESTAMPTZ', 'to': 'TIMESTAMPTZ'})"
)
asks = duckdb.sql("SELECT ask, count(*) FROM windows GROUP BY ask ORDER BY ask").fetchall()


def one(ask):
    """A single window, as literals, so that all pruning can work; the day is given away too."""
    [(calling, called, begin, end)] = duckdb.sql(
        f'SELECT calling, called, "from"::VARCHAR, "to"::VARCHAR FROM windows WHERE ask = {ask}'
    ).fetchall()
    who = f"called = {called}" if calling is None else f"calling = {calling} AND called = {called}"
    days = f"day BETWEEN '{begin[:10]}' AND '{end[:10]}'"
    return f"SELECT * FROM {calls} WHERE {who} AND {days} AND start BETWEEN '{begin}' AND '{end}'"


def many(ask):
    """Many windows: a join by the called number."""
    return (
        f'SELECT c.* FROM windows w JOIN {calls} c ON c.called = w.called AND c.start BETWEEN w."from" AND w."to" '
        f"AND (w.calling IS NULL OR c.calling = w.calling) WHERE w.ask = {ask}"
    )


times, rows = [], 0
for counted in (False, True):
    rows = 0
    for ask, windows in asks:
        query = one(ask) if windows == 1 else many(ask)
        began = time.perf_counter()
        found = duckdb.sql(query).fetchall()
        if counted:
            times.append((time.perf_counter() - began) * 1000)
        rows += len(found)
print(f"{statistics.median(times):.2f} ms, {rows} rows, duckdb {duckdb.__version__}")

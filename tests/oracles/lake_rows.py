"""The rows of a lake as another Parquet reader has them: `lake_rows.py FOLDER`.

Prints how many rows there are, then one line a row: network, source, file, line, start, calling, called. Says `unsorted`
and the file where a data file is not in the order of calling and start. Exit 3: neither pyarrow nor duckdb is installed.
"""

import glob
import sys

try:
    import pyarrow.parquet as parquet

    def columns(file, names):
        return parquet.ParquetFile(file).read(names).to_pydict()
except ImportError:
    try:
        import duckdb
    except ImportError:
        sys.exit(3)

    def columns(file, names):
        quoted = ", ".join(f'"{name}"' for name in names)
        rows = duckdb.sql(f"SELECT {quoted} FROM read_parquet('{file}', hive_partitioning = false)").fetchall()
        return {name: [row[at] for row in rows] for at, name in enumerate(names)}


NAMES = ["network", "source", "file", "line", "start", "calling", "called"]
lines = []
for file in glob.glob(sys.argv[1] + "/calls/*/*.parquet"):
    table = columns(file, NAMES)
    rows = list(zip(*(table[name] for name in NAMES)))
    # A calling number that is withheld stands at one end.
    keys = [(row[5], row[4]) for row in rows if row[5] is not None]
    if keys != sorted(keys):
        print("unsorted", file)
    lines += ["|".join(str(int(cell.timestamp())) if hasattr(cell, "timestamp") else str(cell) for cell in row) for row in rows]
print(len(lines))
print("\n".join(sorted(lines)))

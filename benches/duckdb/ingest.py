"""DuckDB's CSV -> sorted Parquet on the file that benches/ingest.rs made: `ingest.py FOLDER`."""

import resource
import sys
import time

import duckdb

folder = sys.argv[1]
began = time.perf_counter()
duckdb.sql(
    f"COPY (SELECT * FROM read_csv('{folder}/calls.csv') ORDER BY calling, start) "
    f"TO '{folder}/duckdb.parquet' (FORMAT parquet, COMPRESSION zstd)"
)
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"{seconds:.3f} s, peak of memory {peak} kB, duckdb {duckdb.__version__}")

"""PyAirbyte loads all streams into DuckDB, twice. One argument: a file with {"binary", "folder", "config",
"columns": {stream: [columns]}}. Writes rows.json there: {stream: [[values of these columns]]}.
"""

import json
import os
import sys
from pathlib import Path

with open(sys.argv[1]) as file:
    given = json.load(file)
folder = Path(given["folder"])
os.environ.update(AIRBYTE_OFFLINE_MODE="1", DO_NOT_TRACK="1", AIRBYTE_NO_UV="1", HOME=str(folder))
os.chdir(folder)

import airbyte as ab  # noqa: E402  (the environment is read while it is imported)
from airbyte.caches import DuckDBCache  # noqa: E402

source = ab.get_source(
    "source-confluent-cloud",
    local_executable=Path(given["binary"]),
    config=given["config"],
    streams="*",
    install_if_missing=False,
)
cache = DuckDBCache(db_path=folder / "all.duckdb", cache_dir=folder / "files")
first = source.read(cache=cache)
assert first.processed_records == sum(len(list(rows)) for rows in first.streams.values())
result = source.read(cache=cache)
rows = {
    stream: [[row[column] for column in columns] for row in result[stream]]
    for stream, columns in given["columns"].items()
}
Path("rows.json").write_text(json.dumps(rows))

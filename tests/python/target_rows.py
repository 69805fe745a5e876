"""What a target has written, as one line of JSON: {stream: [row, …]}, each row an object.

The arguments are its kind (jsonl, csv, sqlite or duckdb), the folder of the files or the file, and the
streams. Values stay what they are in there; those that JSON does not know become texts.
"""

import csv
import importlib
import json
import sys
from pathlib import Path

kind, place, *streams = sys.argv[1:]


def of_file(stream):
    with open(Path(place) / f"{stream}.{kind}", encoding="utf-8", newline="") as file:
        return [json.loads(line) for line in file] if kind == "jsonl" else list(csv.DictReader(file))


def of_table(stream):
    if kind == "duckdb":
        found = database.execute(f"select to_json(row) from (select * from {stream}) row")
        return [json.loads(row) for (row,) in found.fetchall()]
    found = database.execute(f"select * from {stream}")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row)) for row in found.fetchall()]


is_file = kind in ("jsonl", "csv")
database = None if is_file else importlib.import_module({"sqlite": "sqlite3"}.get(kind, kind)).connect(place)
rows = of_file if is_file else of_table
print(json.dumps({stream: rows(stream) for stream in streams}, default=str))

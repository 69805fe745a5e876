"""PyAirbyte runs the binary as its users do. One argument: a file with
{"binary", "folder", "organization_id", "truth": {stream: count}, and settings: "config", "fewer" for the
same organization after some deletions (with "fewer_truth"), "slow" for a service with thousands of users
that takes its time, "refused" for one that refuses users}. Ends with 0 if everything is as it should be.
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
from airbyte import exceptions  # noqa: E402
from airbyte.caches import DuckDBCache  # noqa: E402

TRUTH = given["truth"]


def source(config, streams="*"):
    return ab.get_source(
        "source-confluent-cloud",
        local_executable=Path(given["binary"]),
        config=config,
        streams=streams,
        install_if_missing=False,
    )


def cache(name):
    return DuckDBCache(db_path=folder / f"{name}.duckdb", cache_dir=folder / f"{name}-files")


def rows(result):
    return {name: len(list(dataset)) for name, dataset in result.streams.items()}


def raises(kind, do):
    try:
        do()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


good = source(given["config"])
good.check()
assert sorted(good.get_available_streams()) == sorted(TRUTH), good.get_available_streams()

kept = cache("kept")
first = good.read(cache=kept)
assert rows(first) == TRUTH, rows(first)
assert first.processed_records == sum(TRUTH.values()), first.processed_records
ids = [row["id"] for row in first["users"]]
assert len(set(ids)) == TRUTH["users"]
assert {row["organization_id"] for row in first["role_bindings"]} == {given["organization_id"]}
frame = first["users"].to_pandas()
assert str(frame["created_at"].dtype).startswith("datetime64"), frame["created_at"].dtype

again = source(given["config"]).read(cache=kept)
assert again.processed_records == sum(TRUTH.values()), f"again: {again.processed_records}"
assert rows(again) == TRUTH, rows(again)
forced = source(given["config"]).read(cache=kept, force_full_refresh=True)
assert forced.processed_records == sum(TRUTH.values()), f"forced: {forced.processed_records}"

# Whoever replaces tables, as Airbyte's overwrite does, has lost what was deleted.
replaced = source(given["fewer"]).read(cache=kept, write_strategy="replace", force_full_refresh=True)
assert rows(replaced) == given["fewer_truth"] != TRUTH, rows(replaced)

# Ended early: PyAirbyte sends SIGTERM, and any end but by that signal makes it raise.
users = source(given["slow"], ["users"]).get_records("users")
some = [row["id"] for _, row in zip(range(3), users)]
assert len(some) == 3
users.close()
del users
limited = source(given["slow"], ["users"]).get_records("users", limit=2)
assert len(list(limited)) == 2
del limited

wrong = {**given["config"], "api_secret": "not-the-secret"}
error = raises(exceptions.AirbyteConnectorCheckFailedError, source(wrong).check)
assert "api_secret" in str(error), str(error)

raises(exceptions.AirbyteConnectorFailedError, lambda: source(given["refused"]).read(cache=cache("refused")))
print("all is well")

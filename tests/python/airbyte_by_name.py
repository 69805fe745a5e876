"""PyAirbyte runs the installed wheel: by its name on PATH, and installed by PyAirbyte itself. One argument:
a file with {"folder", "config", "truth": {stream: count}, "wheel"}. Ends with 0 if everything is as it should be.
"""

import json
import os
import sys
from pathlib import Path

with open(sys.argv[1]) as file:
    given = json.load(file)
folder = Path(given["folder"])
# Offline, a name that Airbyte's registry does not hold is looked for on PATH.
os.environ.update(AIRBYTE_OFFLINE_MODE="1", DO_NOT_TRACK="1", AIRBYTE_NO_UV="1")
os.environ.update(PIP_NO_INDEX="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
os.chdir(folder)

import airbyte as ab  # noqa: E402  (the environment is read while it is imported)
from airbyte.caches import DuckDBCache  # noqa: E402

NAME = "source-confluent-cloud"
ways = {
    "by-name": {},
    "installed": {"pip_url": given["wheel"], "install_root": folder / "installed"},
}
for way, how in ways.items():
    source = ab.get_source(NAME, config=given["config"], **how)
    source.check()
    source.select_all_streams()
    result = source.read(cache=DuckDBCache(db_path=folder / f"{way}.duckdb", cache_dir=folder / way))
    rows = {name: len(list(dataset)) for name, dataset in result.streams.items()}
    assert rows == given["truth"], (way, rows)
assert (folder / "installed" / f".venv-{NAME}" / "bin" / NAME).exists()
print("all is well")

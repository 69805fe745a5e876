"""What the Connector Acceptance Tests ask of schemas and records, with their validator.

The argument is a file: {"spec": schema, "config": settings, "schemas": {stream: schema},
"records": {stream: [record, …]}}. Says what is wrong, one line each, and ends with 1 if anything is.
"""

import json
import re
import sys

from jsonschema import Draft7Validator, FormatChecker, validators

MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
formats = FormatChecker(formats=())


@formats.checks("date-time")
def is_moment(value):
    return not isinstance(value, str) or bool(MOMENT.match(value))


def is_integer(_, value):
    return isinstance(value, int) and not isinstance(value, bool)


Strict = validators.extend(
    Draft7Validator, type_checker=Draft7Validator.TYPE_CHECKER.redefine("integer", is_integer)
)


def closed(schema):
    """The same schema, in which nothing may be there that is not declared, at any level."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: closed(part) for name, part in schema.items()}
    if isinstance(schema.get("properties"), dict):
        schema["additionalProperties"] = False
    return schema


def wrongs(given):
    for name, schema in {"spec": given["spec"], **given["schemas"]}.items():
        try:
            Draft7Validator.check_schema(schema)
        except Exception as error:
            yield f"{name}: {error}"
    for error in Draft7Validator(given["spec"]).iter_errors(given["config"]):
        yield f"config: {error.message}"
    for stream, records in given["records"].items():
        validator = Strict(closed(given["schemas"][stream]), format_checker=formats)
        for record in records:
            for error in validator.iter_errors(record):
                yield f"{stream} {record.get('id')}: {error.json_path}: {error.message}"


with open(sys.argv[1]) as file:
    found = list(wrongs(json.load(file)))
print("\n".join(found[:20]))
sys.exit(1 if found else 0)

"""Make values.schema.json from values.yaml, or with --check say whether it is stale.

A value's type is its default's, its description the comment that helm-docs
reads (``# --``), and a line ``# @schema {...}`` above adds what JSON Schema can
say besides. Objects are closed unless such a line opens them, so that a misspelt
value is an error that names it. A key whose default is not empty is required,
because Helm drops the default of a key that is there with nothing under it.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parent.parent
SCHEMA = CHART / "values.schema.json"
TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "null": "null",
    "seq": "array",
    "map": "object",
}

QUANTITY = {
    "type": ["string", "integer"],
    "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$",
}
QUANTITIES = {"type": "object", "additionalProperties": {"$ref": "#/definitions/quantity"}}
RESOURCES = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "requests": QUANTITIES,
        "limits": QUANTITIES,
        "claims": {"type": "array", "items": {"type": "object"}},
    },
}


# Part of a host name, of one to 63 characters.
LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
ANY_CASE = LABEL.replace("a-z", "A-Za-z")
WITH_UNDERSCORE = ANY_CASE.replace("0-9", "0-9_")
IPV6 = r"\[[0-9A-Fa-f:.]+\]"
PORT = "(:[0-9]{1,5})?"
OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"  # RFC 1123, as Kubernetes has it
# The name in the key of a label or an annotation, and the value of a label.
QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]"
PREFIX = f"({SUBDOMAIN}/)?"


def string(pattern: str, length: int = 253) -> dict[str, Any]:
    return {"type": "string", "maxLength": length, "pattern": f"^{pattern}$"}


def origin(scheme: str) -> str:
    host = rf"(\*\.)?({WITH_UNDERSCORE}(\.{WITH_UNDERSCORE})*\.?|{IPV6})"
    return f"{scheme}://{host}{PORT}/?"


# The application's readers (project/origins.py) decide what a host and an origin are, and
# templates/_hosts.tpl has what a pattern can't say; test_values.py compares the two.
HOST = string(rf"(\*|(\*?\.)?{ANY_CASE}(\.{ANY_CASE})*\.?|{IPV6})")
WEB_ORIGIN = string(origin("https?"))
ORIGIN = string(rf"(\*|{origin('[A-Za-z][A-Za-z0-9+.-]*')})")
# The rest is what Kubernetes accepts.
ROUTE_HOST = string(rf"(\*\.)?{LABEL}(\.{LABEL})*")
NAME = string(f"({SUBDOMAIN})?")
STORAGE_CLASS = string(f"(-|{SUBDOMAIN})?")
CIDR = string(
    rf"(({OCTET}\.){{3}}{OCTET}/(3[0-2]|[12]?[0-9])|[0-9A-Fa-f:]*:[0-9A-Fa-f:]*/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))"
)


def keyed(prefix: str, value: dict[str, Any]) -> dict[str, Any]:
    # Not propertyNames, whose errors Helm shows at another place than that of the key.
    pattern = f"^{prefix}{QUALIFIED}$"
    return {"type": "object", "patternProperties": {pattern: value}, "additionalProperties": False}


LABEL_VALUE = string(f"({QUALIFIED})?", 63)
LABELS = keyed(PREFIX, LABEL_VALUE)
ANNOTATIONS = keyed(PREFIX.replace("a-z", "A-Za-z"), {"type": "string"})
REPOSITORY = {
    "type": "string",
    "pattern": "^([^:@/ ]+(:[0-9]+)?/)?[^:@ ]+$",
}  # without tag and digest
DEFINITIONS = {
    "quantity": QUANTITY,
    "resources": RESOURCES,
    "host": HOST,
    "webOrigin": WEB_ORIGIN,
    "origin": ORIGIN,
    "routeHost": ROUTE_HOST,
    "name": NAME,
    "storageClass": STORAGE_CLASS,
    "cidr": CIDR,
    "labels": LABELS,
    "labelValue": LABEL_VALUE,
    "annotations": ANNOTATIONS,
    "repository": REPOSITORY,
}


def comment_above(lines: list[str], line: int) -> list[str]:
    """The comment that ends above ``line``, without its marks."""
    start = line
    while start and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return [text.strip().removeprefix("#").strip() for text in lines[start:line]]


def schema_of(node: yaml.Node, comment: list[str], lines: list[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": TYPES[node.tag.rpartition(":")[2]]}
    for text in comment:
        if text.startswith("-- "):
            schema["description"] = re.sub(r"^-- (\([^)]*\) )?", "", text)
        elif text.startswith("@schema "):
            schema |= json.loads(text.removeprefix("@schema "))
    if "$ref" in schema:
        del schema["type"]
    elif isinstance(node, yaml.MappingNode):
        closed = schema.setdefault("additionalProperties", False) is False
        schema["properties"] = schema.get("properties", {}) | {
            key.value: schema_of(value, comment, lines)
            for key, value in node.value
            # Kubernetes checks the keys of its own objects, which have no comments here.
            if (comment := comment_above(lines, key.start_mark.line)) or closed
        }
        if closed:
            schema["required"] = [
                key.value
                for key, value in node.value
                if not is_empty(value)
                and "null" not in schema["properties"][key.value].get("type", ())
            ]
    return schema


def is_empty(node: yaml.Node) -> bool:
    """Whether a template that finds nothing does what it does with this default."""
    return node.value in ([], "", "false", "null")


def main() -> int:
    text = (CHART / "values.yaml").read_text()
    values: yaml.Node = yaml.compose(text)  # type: ignore[assignment]
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the Tasklists chart",
        **schema_of(values, [], text.splitlines()),
        "definitions": DEFINITIONS,
    }
    schema["properties"]["enabled"] = {
        "type": "boolean",
        "description": "For a parent chart, which may put its condition here.",
    }
    made = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    if "--check" not in sys.argv:
        SCHEMA.write_text(made)
    elif SCHEMA.read_text() != made:
        print("chart/values.schema.json is stale: run python chart/ci/schema.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The OpenAPI document: it is the code's own, and the service keeps to it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import chain, permutations
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import LazySettings, settings
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.exceptions import ValidationError

from rest.filters import BooleanFilter
from rest.schema import NOT_NULL, TEXT
from rest.serializers import StrictCharField
from tasklists.api import TaskListFilter, TaskListViewSet
from tasklists.models import TaskList
from tests.process import ROOT, WITHOUT_COVERAGE, Service, manage
from tests.rest.conftest import Send
from tests.wire import HANG

DOCUMENT = ROOT / "docs/openapi.yaml"
EXAMPLES = 100  # random ones of each operation; those at the boundaries are added

pytestmark = pytest.mark.once(on="sqlite")


def test_the_document_is_not_stale(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    result = manage("spectacular", "--validate", "--fail-on-warn", "--file", str(made))
    assert result.returncode == 0, result.stderr
    assert made.read_text() == DOCUMENT.read_text(), "run `make schema`"


def test_the_chart_is_of_the_same_version() -> None:
    chart = (ROOT / "chart/Chart.yaml").read_text()
    assert f'appVersion: "{settings.VERSION}"' in chart.splitlines()


TEXTS = ["", "a", "ab", "abc", "abcd", " ", "\u3000", "\x85", "\x1c", "a\0b", "\0", "é" * 3]
PADDED = [" a", "ab\n", "\x1ca b\x85", "abc "]


@pytest.mark.parametrize("minimum", [0, 1])
@pytest.mark.parametrize("maximum", [1, 2, 3])
def test_a_pattern_and_lengths_match_what_is_accepted(minimum: int, maximum: int) -> None:
    """Of texts with white space around them, the service takes some more."""
    field = StrictCharField(allow_blank=not minimum, max_length=maximum)
    pattern = re.compile(TEXT if minimum else f"^{NOT_NULL}$")

    def accepts(text: str) -> bool:
        try:
            field.run_validation(text)
        except ValidationError:
            return False
        return True

    def declares(text: str) -> bool:
        return minimum <= len(text) <= maximum and pattern.search(text) is not None

    # What is nothing but white space becomes the empty text, whatever its length.
    texts = [text for text in TEXTS if minimum or not text.isspace()]
    assert list(filter(declares, texts)) == list(filter(accepts, texts))
    assert all(map(accepts, filter(declares, PADDED)))


def nodes(node: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of the document with the place where it is."""
    if isinstance(node, dict):
        yield at, node
        for name, value in node.items():
            yield from nodes(value, f"{at}/{name}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from nodes(value, f"{at}/{number}")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_integer_beyond_32_bits_says_so() -> None:
    """Java, Go and C# otherwise read 32 bits, and fail on the answer to a POST that was made."""
    integers = {
        at: node
        for at, node in nodes(yaml.safe_load(DOCUMENT.read_text()))
        if "integer" in [node.get("type"), *(node.get("type") or ())]
    }
    assert {at.split("/")[-1] for at in integers} >= {"id", "version", "order", "list"}
    for at, node in integers.items():
        fits = node.get("minimum", -(2**63)) >= -(2**31) and node.get("maximum", 2**63) < 2**31
        assert fits or node["format"] == "int64", at


def test_every_pattern_is_one_that_all_generators_read() -> None:
    """Go has neither \\u nor more than 1,000 repetitions; \\d and \\w differ between languages."""
    patterns = {
        node["pattern"]
        for _, node in nodes(yaml.safe_load(DOCUMENT.read_text()))
        if isinstance(node.get("pattern"), str)
    }
    assert patterns
    for pattern in patterns:
        assert not re.search(r"\\(?!x[0-9a-f]{2}|s|\.)|\(\?|[*+?}][+?]", pattern), pattern
        assert all(int(count) <= 1000 for count in re.findall(r"[{,](\d+)", pattern)), pattern
        re.compile(pattern)


def test_every_operation_has_a_summary_and_examples() -> None:
    for name, operation in operations(yaml.safe_load(DOCUMENT.read_text())):
        assert operation["summary"]
        for parameter in operation.get("parameters", ()):
            # Swagger UI sends a parameter's example, which has to be meant for all others.
            in_schema = parameter["schema"].get("examples")
            found = parameter.get("example") if parameter.get("required") else in_schema
            assert found, (name, parameter["name"])
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert content["examples"], name
        for status, response in operation["responses"].items():
            if "application/json" in response.get("content", {}):
                assert response["content"]["application/json"]["examples"], (name, status)


def test_every_accept_header_that_the_document_allows_is_answered(
    send: Send, settings: LazySettings, task_list: TaskList
) -> None:
    """What clients send that are generated from it: one of an operation's media types, or all."""
    settings.SERVED_BY = "pod"  # otherwise /instance is 404
    for name, operation in operations(yaml.safe_load(DOCUMENT.read_text())):
        method, path = name.split()
        contents = [response.get("content", {}) for response in operation["responses"].values()]
        declared = list(dict.fromkeys(chain.from_iterable(contents)))
        assert "application/problem+json" in declared
        for count in range(1, len(declared) + 1):
            for accepted in permutations(declared, count):
                task = task_list.tasks.create(title="milk")
                ids = {"list_id": task_list.pk, "id": task.pk}
                if path == "/lists/{id}":
                    ids["id"] = TaskList.objects.create(name="b").pk
                for media_type, content in bodies(operation):
                    if content and "list" in content:
                        content["list"] = task_list.pk
                    target = path.format(**ids)
                    response = send(method, target, content, media_type, Accept=", ".join(accepted))
                    assert 200 <= response.status_code < 300, (name, accepted, response.content)
                    expected = "" if response.status_code == 204 else "application/json"
                    assert response.get("Content-Type", "") == expected


def bodies(operation: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The media type and the example of each body that an operation takes."""
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        [example] = content["examples"].values()
        yield media_type, example["value"]
    if "requestBody" not in operation:
        yield "", None


class FilterOfNoMember(TaskListFilter):
    empty = BooleanFilter(field_name="tasks__isnull")


def test_a_filter_of_no_member_has_no_example(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TaskListViewSet, "filterset_class", FilterOfNoMember)
    document = client.get("/schema", headers={"Accept": "application/json"}).json()
    parameters = document["paths"]["/lists"]["get"]["parameters"]
    schemas = {each["name"]: each["schema"] for each in parameters}
    assert schemas["empty"] == {"type": "boolean"}
    assert schemas["name"]["examples"] == ["shopping"]


def test_the_document_is_about_the_server_that_serves_it() -> None:
    assert yaml.safe_load(DOCUMENT.read_text())["servers"] == [{"url": "/"}]


@pytest.mark.parametrize(
    ("access", "protected"),
    [
        ("anyone", set()),
        ("read_only", {"POST", "PUT", "PATCH", "DELETE"}),
        ("authenticated", {"GET", "POST", "PUT", "PATCH", "DELETE"}),
    ],
)
def test_an_operation_that_needs_no_credentials_declares_none(
    client: Client, settings: LazySettings, db: None, access: str, protected: set[str]
) -> None:
    """Swagger UI shows a lock where there are any, also where they are optional."""
    settings.API_ACCESS = access
    client.force_login(User.objects.create_user("ada"))
    document = client.get("/schema", headers={"Accept": "application/json"}).json()
    for name, operation in operations(document):
        schemes = {scheme for each in operation.get("security", ()) for scheme in each}
        assert bool(schemes) == (name.split()[0] in protected), name
        assert schemes <= document["components"].get("securitySchemes", {}).keys()


def test_the_service_keeps_to_the_document(serve: Callable[..., Service], tmp_path: Path) -> None:
    """Thousands of valid and invalid requests, with every check: status, type, shape, ..."""
    service = serve(SERVED_BY="pod", **WITHOUT_COVERAGE)
    result = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            f"--config-file={ROOT / 'tests/rest/schemathesis.toml'}",
            "run",
            DOCUMENT,
            f"--url={service.url}",
            f"--request-timeout={HANG}",
            f"--max-examples={EXAMPLES}",
            "--generation-deterministic",
            "--continue-on-failure",
            "--suppress-health-check=all",
            "--no-color",
        ],
        cwd=tmp_path,  # where it keeps its own files
        env=os.environ | WITHOUT_COVERAGE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    selected = re.search(r"(\d+) selected / (\d+) total", result.stdout)
    counted = re.search(r"(\d+) generated, (\d+) passed", result.stdout)
    assert selected, result.stdout
    assert counted, result.stdout
    operations = int(selected[2])
    assert operations > 0
    assert int(selected[1]) == operations
    assert int(counted[1]) >= EXAMPLES * operations
    assert not [record for record in service.records() if "exception" in record]

"""Clients that are generated from the OpenAPI document do each operation against the service."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest
import requests
import yaml

from tests.process import ROOT, Service, manage
from tests.wire import HANG

DOCUMENT = ROOT / "docs/openapi.yaml"
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.once(on="sqlite")


class Answer(NamedTuple):
    status: int
    data: Any  # as JSON, except that times are objects
    headers: Any


class Generated:
    """A client, generated into ``folder`` as a package of this name. It knows what was called."""

    generator: ClassVar[str]
    command: ClassVar[list[str]]

    def __init__(self, document: Path, folder: Path, name: str) -> None:
        described = yaml.safe_load(document.read_text())
        self.operations = {
            operation["operationId"]: operation
            for methods in described["paths"].values()
            for operation in methods.values()
        }
        self.called: set[str] = set()
        self.close = ExitStack()  # closes the connections
        self.name = name
        values = {"document": document, "package": folder / name, "folder": folder, "name": name}
        result = subprocess.run(
            [BIN / self.generator, *(argument % values for argument in self.command)],
            env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"},  # one of them calls ruff
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr

    def part(self, name: str) -> Any:
        return import_module(f"{self.name}.{name}")

    def model(self, operation: str, body: dict[str, Any]) -> Any:
        """The body as an object of the class that the operation takes, and the class's name."""
        contents = self.operations[operation]["requestBody"]["content"].values()
        [name] = {content["schema"]["$ref"].rsplit("/")[-1] for content in contents}
        return getattr(self.part("models"), name).from_dict(body), name

    def call(self, operation: str, body: dict[str, Any] | None = None, **parameters: Any) -> Answer:
        self.called.add(operation)
        return self.send(operation, self.operations[operation]["tags"][0], body, parameters)

    def connect(self, url: str, token: str = "") -> None:
        raise NotImplementedError

    def send(
        self, operation: str, tag: str, body: dict[str, Any] | None, parameters: dict[str, Any]
    ) -> Answer:
        raise NotImplementedError


def plain(data: Any) -> Any:
    if isinstance(data, list):
        return [plain(each) for each in data]
    if hasattr(data, "model_dump"):
        return data.model_dump()  # to_dict() leaves out what only the service sets
    return data.to_dict() if hasattr(data, "to_dict") else data


class OpenAPIPythonClient(Generated):
    generator = "openapi-python-client"
    command = ["generate", "--path=%(document)s", "--output-path=%(package)s", "--meta=none"]
    command += ["--fail-on-warning"]

    def connect(self, url: str, token: str = "") -> None:
        module = self.part("client")
        options = {"base_url": url, "raise_on_unexpected_status": True}
        if token:
            self.client = module.AuthenticatedClient(token=token, **options)
        else:
            self.client = module.Client(**options)
        self.close.callback(self.client.get_httpx_client().close)

    def send(
        self, operation: str, tag: str, body: dict[str, Any] | None, parameters: dict[str, Any]
    ) -> Answer:
        if body is not None:
            parameters["body"], _ = self.model(operation, body)
        call = self.part(f"api.{tag}.{operation}").sync_detailed
        answer = call(client=self.client, **parameters)
        return Answer(answer.status_code, plain(answer.parsed), answer.headers)


class OpenAPIGenerator(Generated):
    generator = "openapi-generator-cli"
    command = ["generate", "-g=python", "-i=%(document)s", "-o=%(folder)s"]
    command += ["--package-name=%(name)s"]

    def connect(self, url: str, token: str = "") -> None:
        configuration = self.part("configuration").Configuration(host=url)
        configuration.access_token = token or None
        self.client = self.part("api_client").ApiClient(configuration)
        self.close.callback(self.client.rest_client.pool_manager.clear)

    def send(
        self, operation: str, tag: str, body: dict[str, Any] | None, parameters: dict[str, Any]
    ) -> Answer:
        if body is not None:
            model, name = self.model(operation, body)
            parameters[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()] = model
        api = getattr(self.part("api"), f"{tag.capitalize()}Api")(self.client)
        try:
            answer = getattr(api, f"{operation}_with_http_info")(**parameters)
        except self.part("exceptions").ApiException as error:
            return Answer(error.status, plain(error.data), error.headers)
        return Answer(answer.status_code, plain(answer.data), answer.headers)


GENERATORS = [OpenAPIPythonClient, OpenAPIGenerator]
Make = Callable[[type[Generated], Path], Generated]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Generates a client from a document."""

    def generate(kind: type[Generated], document: Path) -> Generated:
        folder = tmp_path / "client"
        folder.mkdir()
        monkeypatch.syspath_prepend(str(folder))
        # Python keeps what it has imported, so each client has a name of its own.
        name = re.sub(r"\W", "_", f"{kind.generator}_{tmp_path.name}")
        client = kind(document, folder, name)
        clients.enter_context(client.close)
        return client

    with ExitStack() as clients:
        yield generate


@pytest.mark.parametrize("kind", GENERATORS)
def test_a_generated_client_does_every_operation(
    serve: Callable[..., Service], make: Make, kind: type[Generated]
) -> None:
    service = serve(SERVED_BY="pod")  # otherwise /instance is 404
    client = make(kind, DOCUMENT)
    client.connect(service.url)
    call = client.call

    created = call("lists_create", {"name": "shopping"}, idempotency_key=kind.generator)
    assert created.status == 201
    assert created.headers["ETag"] == '"1"'
    number = created.data["id"]
    again = call("lists_create", {"name": "shopping"}, idempotency_key=kind.generator)
    assert again.data["id"] == number
    read = call("lists_retrieve", id=number)
    assert (read.status, read.data["name"]) == (200, "shopping")
    assert call("lists_retrieve", id=number, if_none_match='"1"').status == 304
    rows = call("lists_list", limit=1, after=number - 1, name="shopping")
    assert [row["id"] for row in rows.data] == [number]
    sent_back = {**read.data, "name": "groceries"}
    assert call("lists_update", sent_back, id=number, if_match='"1"').data["version"] == 2
    assert call("lists_partial_update", {"name": "market"}, id=number).data["name"] == "market"

    stale = call("lists_partial_update", {"name": "mall"}, id=number, if_match='"1"')
    assert stale.status == 412
    assert stale.data["detail"].startswith("This has changed")
    assert call("lists_destroy", id=number, if_match='"1"').status == 412
    refused = call("lists_create", {"name": " "}) if kind is OpenAPIPythonClient else None
    if refused:  # the other one refuses it itself
        assert refused.data["errors"][0]["pointer"] == "/name"

    task = call("lists_tasks_create", {"title": "milk", "due": "2027-02-28"}, list_id=number)
    assert task.status == 201
    key = task.data["id"]
    greatest = 2**53 - 1
    far = call("lists_tasks_create", {"title": "last", "order": greatest}, list_id=number)
    assert far.data["order"] == greatest
    assert call("tasks_retrieve", id=key).data["title"] == "milk"
    assert call("tasks_retrieve", id=2**63 - 1).status == 404
    patched = call("tasks_partial_update", {"due": None}, id=key)
    assert (patched.status, patched.data["due"]) == (200, None)
    assert call("tasks_update", {"title": "bread"}, id=key).data["title"] == "bread"
    done = call("lists_tasks_partial_update", {"completed": True}, list_id=number, completed=False)
    assert done.status == 204
    rows = call("lists_tasks_list", list_id=number, completed=True, limit=1000)
    assert [row["title"] for row in rows.data] == ["bread", "last"]
    assert call("tasks_destroy", id=key).status == 204
    assert call("lists_tasks_destroy", list_id=number, completed=True).status == 204
    assert call("lists_tasks_list", list_id=number).data == []

    assert call("lists_destroy", id=number).status == 204
    gone = call("lists_retrieve", id=number)
    assert (gone.status, gone.data["status"]) == (404, 404)

    for operation in ("instance_retrieve", "instance_create"):
        answer = call(operation)
        assert (answer.status, answer.data["name"], answer.data["lists"]) == (200, "pod", 0)
    assert client.called == client.operations.keys()


@pytest.mark.parametrize("kind", GENERATORS)
def test_a_client_of_a_service_that_wants_a_token_sends_one(
    serve: Callable[..., Service],
    database_url: str,
    make: Make,
    tmp_path: Path,
    kind: type[Generated],
) -> None:
    """The client is generated from the document of that service, which declares the token."""
    service = serve(API_ACCESS="authenticated")
    manage("ensure_admin", DATABASE_URL=database_url, ADMIN_PASSWORD="correct-horse-battery")
    token = manage("drf_create_token", "admin", DATABASE_URL=database_url).stdout.split()[2]
    document = tmp_path / "openapi.yaml"
    headers = {"Authorization": f"Bearer {token}"}
    schema = requests.get(f"{service.url}/schema", headers=headers, timeout=HANG)
    document.write_bytes(schema.content)
    client = make(kind, document)
    client.connect(service.url, token)
    created = client.call("lists_create", {"name": "shopping"})
    assert created.status == 201
    assert client.call("lists_destroy", id=created.data["id"]).status == 204
    client.connect(service.url, "wrong")
    wrong = client.call("lists_list")
    assert (wrong.status, wrong.data["status"]) == (401, 401)

"""Whether a stack answers as it has to before its speed counts."""

from collections.abc import Iterator
from typing import Any

import requests

from bench.databases import fill
from bench.load import WORKLOADS
from bench.server import Server

MEMBERS = {"id", "name", "created_at", "updated_at", "version"}


def faults(server: Server, database_url: str) -> list[str]:
    """What the server answers wrongly, in words."""
    if server.stack.answers_only:
        return [] if requests.get(server.url, timeout=5).ok else ["it does not answer with 200"]
    try:
        return list(_faults(server, database_url))
    except (requests.RequestException, LookupError, TypeError) as error:
        return [f"{type(error).__name__}: {error}"]


def _faults(server: Server, database_url: str) -> Iterator[str]:
    def call(method: str, path: str, name: str | None = None, tag: str | None = None) -> Any:
        return requests.request(
            method,
            server.url + path,
            json={"name": name} if name else None,
            headers={"If-Match": tag} if tag else None,
            allow_redirects=False,
            timeout=5,
        )

    for rows in sorted({workload.rows for workload in WORKLOADS}):
        fill(database_url, server.stack.table, rows)
        answer = call("GET", "/lists")
        expected = [(n, f"list {n}") for n in range(1, rows + 1)]
        page = _rows(answer.json())
        if answer.status_code != 200 or [(row["id"], row["name"]) for row in page] != expected:
            yield f"GET /lists of {rows} is {answer.status_code} with {len(page)} lists"
        if not all(row.keys() == MEMBERS for row in page):
            yield f"GET /lists has other members than {', '.join(sorted(MEMBERS))}"
    answer = call("GET", "/lists/7")
    if answer.status_code != 200 or answer.json()["name"] != "list 7":
        yield f"GET /lists/7 is {answer.status_code} {answer.text}"
    answer = call("POST", "/lists", "new")
    created = answer.json()
    if answer.status_code != 201 or created["name"] != "new":
        yield f"POST /lists is {answer.status_code} {answer.text}"
    answer = call("GET", f"/lists/{created['id']}")
    if answer.status_code != 200 or answer.json()["name"] != "new":
        yield f"GET of the new list is {answer.status_code} {answer.text}"
    answer = call("PUT", "/lists/7", "changed", '"1"')
    if answer.status_code != 200 or call("GET", "/lists/7").json()["name"] != "changed":
        yield f"PUT /lists/7 is {answer.status_code} {answer.text}"
    if server.stack.conditional:
        answer = call("PUT", "/lists/7", "changed again", '"1"')
        if answer.status_code != 412 or call("GET", "/lists/7").json()["name"] != "changed":
            yield f"PUT /lists/7 with a stale If-Match is {answer.status_code} {answer.text}"


def _rows(answer: Any) -> list[dict[str, Any]]:
    """The lists of a page: DRF and Ninja wrap them."""
    if isinstance(answer, dict):
        answer = answer.get("results") or answer["items"]
    assert isinstance(answer, list)
    return answer

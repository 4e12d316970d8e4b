"""Whether a stack answers as it has to before its speed counts."""

from collections.abc import Iterator
from typing import Any

import requests

from bench.databases import DUE, TASKS_PER_LIST, fill
from bench.load import LIST_WORKLOADS
from bench.server import Server

SECONDS = 30  # a guard against a hang
MEMBERS = {"id", "name", "created_at", "updated_at", "version"}
TASK_MEMBERS = {
    *("id", "url", "list", "title", "completed", "completed_at", "due", "order"),
    *("created_at", "updated_at", "version"),
}


def faults(server: Server, database_url: str) -> list[str]:
    """What the server answers wrongly, in words."""
    if server.stack.answers_only:
        return (
            [] if requests.get(server.url, timeout=SECONDS).ok else ["it does not answer with 200"]
        )
    try:
        return [*_list_faults(server, database_url), *_task_faults(server, database_url)]
    except (requests.RequestException, LookupError, TypeError) as error:
        return [f"{type(error).__name__}: {error}"]


def _list_faults(server: Server, database_url: str) -> Iterator[str]:
    def call(method: str, path: str, name: str | None = None, tag: str | None = None) -> Any:
        return requests.request(
            method,
            server.url + path,
            json={"name": name} if name else None,
            headers={"If-Match": tag} if tag else None,
            allow_redirects=False,
            timeout=SECONDS,
        )

    for rows in sorted({workload.lists for workload in LIST_WORKLOADS}):
        fill(database_url, server.stack, rows)
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


def _task_faults(server: Server, database_url: str) -> Iterator[str]:
    if not server.stack.tasks:
        return
    fill(database_url, server.stack, 3, with_tasks=True)

    def call(method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        return requests.request(
            method, server.url + path, json=body, allow_redirects=False, timeout=SECONDS
        )

    answer = call("GET", "/lists/2/tasks")
    page = _rows(answer.json())
    if answer.status_code != 200 or len(page) != TASKS_PER_LIST:
        yield f"GET /lists/2/tasks is {answer.status_code} with {len(page)} tasks"
    for order, task in enumerate(page, 1):
        yield from _task_fault(server, TASKS_PER_LIST + order, task)
    answer = call("GET", "/tasks/7")
    read = answer.json()
    if answer.status_code != 200 or read.keys() != TASK_MEMBERS or read["title"] != "task 7":
        yield f"GET /tasks/7 is {answer.status_code} {answer.text}"
    answer = call("POST", "/lists/3/tasks", {"title": "new", "due": DUE})
    created = answer.json()
    expected = {"list": 3, "title": "new", "completed": False, "completed_at": None, "due": DUE}
    expected["order"] = TASKS_PER_LIST + 1
    if answer.status_code != 201 or {name: created[name] for name in expected} != expected:
        yield f"POST /lists/3/tasks is {answer.status_code} {answer.text}"
    if call("GET", f"/tasks/{created['id']}").json().keys() != TASK_MEMBERS:
        yield "the new task cannot be read"
    answer = call("PATCH", "/tasks/7", {"title": "changed", "completed": True})
    changed = call("GET", "/tasks/7").json()
    if answer.status_code != 200 or answer.json()["completed_at"] is None:
        yield f"PATCH /tasks/7 is {answer.status_code} {answer.text}"
    # Only the service counts versions.
    written = {"title", "completed", "completed_at", "updated_at", "version"}
    if changed["title"] != "changed" or changed["completed"] is not True:
        yield f"PATCH /tasks/7 leaves {changed}"
    if any(changed[name] != read[name] for name in TASK_MEMBERS - written):
        yield f"PATCH /tasks/7 changes more than it says: {changed}"
    call("PATCH", "/tasks/7", {"completed": False})
    if call("GET", "/tasks/7").json()["completed_at"] is not None:
        yield "PATCH /tasks/7 cannot make a task open again"
    for method, body in {"GET": None, "POST": {"title": "new"}}.items():
        status = call(method, "/lists/4/tasks", body).status_code
        if status != 404:
            yield f"{method} /lists/4/tasks, a list that does not exist, is {status}"


def _task_fault(server: Server, number: int, task: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the JSON of the task with this id, as fill() wrote it."""
    completed = number % 3 == 0
    expected = {
        "id": number,
        "url": f"{server.url}/tasks/{number}",
        "list": 2,
        "title": f"task {number}",
        "completed": completed,
        "due": None if number % 2 else DUE,
        "order": number - TASKS_PER_LIST,
        "version": 1,
    }
    if task.keys() != TASK_MEMBERS:
        yield f"task {number} has other members than {', '.join(sorted(TASK_MEMBERS))}"
    elif expected != {name: task[name] for name in expected}:
        yield f"task {number} is {task}, not {expected}"
    elif (task["completed_at"] is not None) != completed:
        yield f"task {number} is completed at {task['completed_at']}"


def _rows(answer: Any) -> list[dict[str, Any]]:
    """The rows of a page: DRF and Ninja wrap them."""
    if isinstance(answer, dict):
        answer = answer.get("results") or answer["items"]
    assert isinstance(answer, list)
    return answer

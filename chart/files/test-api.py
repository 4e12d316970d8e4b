"""Make a list and a task through the Service, read them and delete the list with its task."""

import http.client
import json
import os
import time

SERVICE, PORT = os.environ["SERVICE"], int(os.environ["PORT"])
HEADERS = {"Content-Type": "application/json", "X-Forwarded-Proto": "https"}


def call(method: str, path: str, body: object = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(SERVICE, PORT, timeout=10)
    connection.request(method, path, None if body is None else json.dumps(body), HEADERS)
    response = connection.getresponse()
    return response.status, response.read()


def expect(statuses: tuple[int, ...], method: str, path: str, body: object = None) -> bytes:
    status, content = call(method, path, body)
    if status not in statuses:
        raise SystemExit(f"{method} {path} got {status}, not {statuses}: {content.decode()}")
    return content


def wait_until_ready() -> None:
    problem: object = None
    for _ in range(120):
        try:
            problem = call("GET", "/health/ready")
        except OSError as error:
            problem = error
        else:
            if problem[0] == 200:
                return
        time.sleep(1)
    raise SystemExit(f"{SERVICE}:{PORT} was not ready within two minutes: {problem}")


wait_until_ready()
if os.environ["API_ACCESS"] == "anyone":
    path = f"/lists/{json.loads(expect((201,), 'POST', '/lists', {'name': 'helm test'}))['id']}"
    if os.environ["DATABASE_MODE"] != "sqlite":  # where the next pod has a file of its own
        expect((200,), "GET", path)
        made = expect((201,), "POST", f"{path}/tasks", {"title": "helm test"})
        task = f"/tasks/{json.loads(made)['id']}"
        expect((200,), "PATCH", task, {"completed": True})
        expect((204,), "DELETE", path)
        expect((404,), "GET", task)
else:
    expect((401, 403), "POST", "/lists", {"name": "helm test"})
print(f"{SERVICE}:{PORT} answers as it should.")

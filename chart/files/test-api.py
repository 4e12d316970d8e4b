"""Make a task list through the Service, read it and delete it: what the API promises."""

import json
import os
import time
import urllib.error
import urllib.request

URL = os.environ["SERVICE_URL"]
READ_ONLY = os.environ["API_ACCESS"] != "anyone"


def call(method: str, path: str, body: object = None) -> tuple[int, bytes]:
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "X-Forwarded-Proto": "https",
    }
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def wait_until_ready() -> None:
    for _ in range(120):
        try:
            if call("GET", "/health/ready")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(1)
    raise SystemExit(f"{URL}/health/ready did not answer 200 within two minutes")


wait_until_ready()
if READ_ONLY:
    status, _ = call("POST", "/lists", {"name": "helm test"})
    assert status in (401, 403), f"a write without a token got {status}"
else:
    status, body = call("POST", "/lists", {"name": "helm test"})
    assert status == 201, (status, body)
    path = f"/lists/{json.loads(body)['id']}"
    if os.environ["DATABASE_MODE"] != "sqlite":  # where the next pod has a file of its own
        status, body = call("GET", path)
        assert (status, json.loads(body)["name"]) == (200, "helm test"), (status, body)
        status, body = call("DELETE", path)
        assert status == 204, (status, body)
print(f"{URL} answers as it should.")

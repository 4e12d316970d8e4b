"""A client of the service, which does what people do with curl."""

from typing import Any

import requests

TIMEOUT = 10  # seconds


class Client:
    """Asks over a new connection each time, so that the answer may come from any pod."""

    def __init__(self, url: str) -> None:
        self.url = url

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False  # a proxy is not on the way to localhost
            return session.request(method, self.url + path, timeout=TIMEOUT, **options)

    def is_there(self) -> bool:
        try:
            return self.request("GET", "/health/live").ok
        except requests.ConnectionError:
            return False

    def add(self, name: str) -> int:
        """The id of the new list."""
        answer = self.request("POST", "/lists", json={"name": name})
        assert answer.status_code == 201, (answer.status_code, answer.text)
        return int(answer.json()["id"])

    def add_task(self, list_id: int, title: str) -> int:
        """The id of the new task."""
        answer = self.request("POST", f"/lists/{list_id}/tasks", json={"title": title})
        assert answer.status_code == 201, (answer.status_code, answer.text)
        return int(answer.json()["id"])

    def names(self) -> list[str]:
        """The name of every list."""
        return [item["name"] for item in self.every("/lists")]

    def titles(self, list_id: int) -> list[str]:
        """The title of every task of a list."""
        return [item["title"] for item in self.every(f"/lists/{list_id}/tasks")]

    def every(self, path: str) -> list[dict[str, Any]]:
        """The objects of a collection, page by page."""
        items: list[dict[str, Any]] = []
        path = f"{path}?limit=1000"
        while path:
            answer = self.request("GET", path)
            assert answer.status_code == 200, (answer.status_code, answer.text)
            items += answer.json()
            path = answer.links.get("next", {}).get("url", "")
        return items

    def served_by(self) -> str:
        return self.request("GET", "/lists").headers["Served-By"]

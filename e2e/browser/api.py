"""The JSON API: how tests prepare lists, act as somebody else, and see what the service has."""

from typing import Any

import requests


class Api:
    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def request(self, method: str, path: str, body: object = None) -> requests.Response:
        answer = requests.request(method, f"{self.url}{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer

    def lists(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.request("GET", "/lists?limit=1000").json()
        return found

    def names(self) -> list[str]:
        return [each["name"] for each in self.lists()]

    def make_lists(self, names: list[str]) -> list[int]:
        with requests.Session() as session:
            answers = [
                session.post(f"{self.url}/lists", json={"name": name}, timeout=30) for name in names
            ]
        return [answer.json()["id"] for answer in answers]

    def make_list(self, name: str, *titles: str) -> int:
        """Make a list with tasks of these titles; returns its id."""
        made: int = self.request("POST", "/lists", {"name": name}).json()["id"]
        with requests.Session() as session:
            for title in titles:
                path = f"{self.url}/lists/{made}/tasks"
                session.post(path, json={"title": title}, timeout=30).raise_for_status()
        return made

    def make_task(self, list_id: int, title: str, **members: object) -> int:
        path = f"/lists/{list_id}/tasks"
        made: int = self.request("POST", path, {"title": title} | members).json()["id"]
        return made

    def tasks(self, list_id: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.request(
            "GET", f"/lists/{list_id}/tasks?limit=1000"
        ).json()
        return found

    def titles(self, list_id: int) -> list[str]:
        return [each["title"] for each in self.tasks(list_id)]

    def task(self, list_id: int, title: str) -> dict[str, Any]:
        [found] = [each for each in self.tasks(list_id) if each["title"] == title]
        return found

    def change(self, list_id: int, title: str, /, **members: object) -> None:
        self.request("PATCH", f"/tasks/{self.task(list_id, title)['id']}", members)

    def delete(self, list_id: int, title: str) -> None:
        self.request("DELETE", f"/tasks/{self.task(list_id, title)['id']}")

    def delete_all(self) -> None:
        with requests.Session() as session:
            while lists := self.lists():
                for each in lists:
                    session.delete(f"{self.url}/lists/{each['id']}", timeout=30).raise_for_status()

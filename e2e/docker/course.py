"""The course's own requests, and what its readers see of the answers."""

import json

from e2e.docker.terminal import Terminal

GET = "curl -s localhost:5000/lists"
POST = (
    "curl -s -X POST -H 'Content-Type: application/json' "
    """-d '{"name": "test"}' localhost:5000/lists"""
)


def names(course: Terminal) -> list[str]:
    return [task_list["name"] for task_list in json.loads(course(GET))]

"""Step 3 of the course: PostgreSQL in a container of its own, on a network of the two."""

import pytest

from e2e.docker.course import GET, POST, names
from e2e.docker.terminal import Terminal, eventually

RUN_DATABASE = "docker run -d --rm --name db --network net -e POSTGRES_PASSWORD=foobar postgres:17"
RUN_APP = (
    "docker run -d --rm --network net -p 5000:5000"
    " -e DATABASE_URL=postgresql://postgres:foobar@db/tasklists app:latest"
)


def stop(course: Terminal, container: str) -> None:
    course(f"docker stop {container}")
    eventually(lambda: course.run(f"docker container inspect {container}").returncode != 0)


@pytest.fixture(autouse=True)
def net(course: Terminal) -> None:
    course("docker network create net")


def test_data_outlives_the_service_but_not_the_database(course: Terminal) -> None:
    course(RUN_DATABASE)
    eventually(lambda: course("docker exec db createdb -U postgres tasklists") == "")
    app = course(RUN_APP)
    eventually(lambda: course(GET) == "[]")
    assert '"name":"test"' in course(POST)

    stop(course, app)
    app = course(RUN_APP)
    eventually(lambda: names(course) == ["test"])

    stop(course, app)
    stop(course, "db")
    course(RUN_DATABASE)
    eventually(lambda: course("docker exec db createdb -U postgres tasklists") == "")
    course(RUN_APP)
    eventually(lambda: course(GET) == "[]")


def test_the_service_may_start_before_its_database_exists(course: Terminal) -> None:
    app = course(RUN_APP)
    eventually(lambda: "waiting for the database" in course(f"docker logs {app}"))
    course(RUN_DATABASE)
    eventually(lambda: 'database \\"tasklists\\" does not exist' in course(f"docker logs {app}"))
    course("docker exec db createdb -U postgres tasklists")
    eventually(lambda: course(GET) == "[]")


def test_data_on_a_volume_outlives_both_containers(course: Terminal) -> None:
    run_database = (
        "docker run -d --rm --name db --network net -e POSTGRES_PASSWORD=foobar"
        " -e POSTGRES_DB=tasklists -v db-data:/var/lib/postgresql/data postgres:17"
    )
    course(run_database)
    app = course(RUN_APP)
    eventually(lambda: course(GET) == "[]")
    course(POST)

    stop(course, app)
    stop(course, "db")
    course(run_database)
    course(RUN_APP)
    eventually(lambda: names(course) == ["test"])

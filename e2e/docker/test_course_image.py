"""Step 1 of the course: build the image, list it, remove it."""

from e2e.docker.terminal import BUILD_SECONDS, Terminal


def test_build_list_and_remove(course: Terminal) -> None:
    course("docker build -t app:latest .", seconds=BUILD_SECONDS)
    try:
        listed = course("docker images").splitlines()
        assert any(line.split()[:2] == ["app", "latest"] for line in listed)

        # Under a name of its own: the other tests need app:latest, and somebody may run it.
        course("docker tag app:latest app:course")
        assert "Untagged: app:course" in course("docker image rm app:course")
        assert course("docker images -q app:course") == ""
        assert course("docker images -q app:latest") != ""
    finally:
        course.run("docker image rm app:course")

"""The first administrator's name and address are ones that the admin accepts too."""

import pytest

from project.accounts import email, username

pytestmark = pytest.mark.once(on="sqlite")


def test_a_name_is_normalized_as_when_somebody_logs_in() -> None:
    assert username("ａdmin") == "admin"  # noqa: RUF001
    assert username("Ünal+1@x.y-z_") == "Ünal+1@x.y-z_"


@pytest.mark.parametrize("text", ["two words", "a" * 151, "ﷺ" * 10, "a\nb"])
def test_a_name_that_the_admin_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        username(text)


def test_an_address_is_kept_as_it_is() -> None:
    assert email("Admin@example.com") == "Admin@example.com"
    assert email("admin@localhost") == "admin@localhost"


@pytest.mark.parametrize(
    "text",
    ["nobody", "a@b", "a b@example.com", "a@example..com", f"{'a' * 60}@{'b.' * 100}example.com"],
)
def test_an_address_that_the_admin_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        email(text)

"""Tokens: their keys are shown once and stored nowhere."""

import importlib
import io
import re

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from rest_framework.authtoken.models import Token as PlainToken
from rest_framework.authtoken.models import TokenProxy

from service.models import Token
from service.tokens import digest

pytestmark = pytest.mark.django_db

TOKENS = "/admin/service/token/"
KEY = re.compile(r"\b[0-9a-f]{40}\b")
W015 = "service.W015"


@pytest.fixture(autouse=True)
def ada(settings: LazySettings) -> User:
    settings.API_ACCESS = "authenticated"
    return User.objects.create_user("ada", password="correct horse")


def run(*command: str) -> str:
    output = io.StringIO()
    call_command(*command, stdout=output)
    return output.getvalue()


def create(*options: str) -> str:
    """The key that the command prints."""
    printed = re.fullmatch(
        r"Generated token ([0-9a-f]{40}) for user ada\n", run("drf_create_token", "ada", *options)
    )
    assert printed
    return printed[1]


def works(key: str) -> bool:
    response = Client().get("/lists", headers={"Authorization": f"Token {key}"})
    assert response.status_code in (200, 401)
    return response.status_code == 200


def everything_stored() -> str:
    """All rows of all tables, as text."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += cursor.fetchall()
    return str(rows)


class TestCommand:
    def test_the_key_works_and_is_not_stored(self) -> None:
        key = create()
        assert works(key)
        assert key not in everything_stored()

    def test_what_is_stored_is_no_key(self) -> None:
        stored = digest(create())
        assert stored in everything_stored()
        assert not works(stored)
        assert not works(stored[:40])

    def test_a_user_may_have_several(self) -> None:
        keys = [create("--name", "backup"), create()]
        assert [works(key) for key in keys] == [True, True]
        assert [str(token) for token in Token.objects.order_by("id")] == [
            "backup of ada",
            "token of ada",
        ]

    @pytest.mark.parametrize("option", ["--reset", "-r"])
    def test_reset_deletes_all_others_of_the_user(self, option: str) -> None:
        plain = PlainToken.objects.create(user=User.objects.get()).key
        other = PlainToken.objects.create(user=User.objects.create_user("bob")).key
        old = create()
        new = create(option)
        assert [works(key) for key in (plain, old, other, new)] == [False, False, True, True]

    def test_an_unknown_user(self) -> None:
        with pytest.raises(CommandError, match="there is no user 'bob'"):
            run("drf_create_token", "bob")

    def test_a_name_that_is_too_long_is_refused(self) -> None:
        assert works(create("--name", "x" * 100))
        with pytest.raises(CommandError, match="--name takes at most 100 characters"):
            run("drf_create_token", "ada", "--name", "x" * 101)
        assert Token.objects.count() == 1


class TestAdmin:
    def add(self, admin: Client) -> tuple[str, str]:
        """The key of a new token, and the page that shows it."""
        form = {"user": User.objects.get(username="ada").pk, "name": "backup"}
        page = admin.post(f"{TOKENS}add/", form, follow=True).content.decode()
        [key] = KEY.findall(page)
        return key, page

    def test_the_key_is_shown_once(self, admin: Client) -> None:
        key, page = self.add(admin)
        assert "not shown again" in page
        assert works(key)
        token = Token.objects.get()
        for path in (
            "/admin/",
            TOKENS,
            f"{TOKENS}{token.pk}/change/",
            f"{TOKENS}{token.pk}/history/",
        ):
            page = admin.get(path).content.decode()
            assert "backup" in page
            assert key not in page
            assert digest(key) not in page
        assert key not in everything_stored()

    def test_a_deleted_token_is_refused_and_leaves_no_key(self, admin: Client) -> None:
        key, _ = self.add(admin)
        admin.post(f"{TOKENS}{Token.objects.get().pk}/delete/", {"post": "yes"})
        assert not works(key)
        assert LogEntry.objects.count() == 2
        assert not KEY.search(everything_stored())

    def test_a_change_leaves_the_key_and_the_user(self, admin: Client) -> None:
        key, _ = self.add(admin)
        other = User.objects.get(username="admin")
        page = f"{TOKENS}{Token.objects.get().pk}/change/"
        assert admin.post(page, {"name": "report", "user": other.pk}).status_code == 302
        assert works(key)
        assert str(Token.objects.get()) == "report of ada"

    def test_a_deleted_user_has_no_token(self) -> None:
        keys = [create(), PlainToken.objects.create(user=User.objects.get()).key]
        User.objects.all().delete()
        assert not any(works(key) for key in keys)

    def test_a_change_of_the_password_leaves_tokens(self, ada: User) -> None:
        key = create()
        ada.set_password("battery staple")
        ada.save()
        assert works(key)


class TestPlainTokens:
    """Those of version 0.2.0, which stored their keys."""

    @pytest.fixture
    def plain(self, ada: User) -> str:
        return str(PlainToken.objects.create(user=ada).key)

    def warnings(self) -> list[checks.CheckMessage]:
        found = checks.run_checks(tags=["database"], databases=["default"])
        return [message for message in found if message.id == W015]

    def test_they_work_before_and_after_they_are_hashed(self, plain: str) -> None:
        assert works(plain)
        [warning] = self.warnings()
        assert "1 tokens" in warning.msg
        assert "manage.py hash_tokens" in str(warning.hint)
        created = PlainToken.objects.get().created
        assert run("hash_tokens") == "hashed: 1\n"
        assert works(plain)
        assert self.warnings() == []
        assert plain not in everything_stored()
        assert Token.objects.get().created_at == created
        assert run("hash_tokens") == "hashed: 0\n"
        assert works(plain)

    def test_deleted_ones_are_refused(self, plain: str) -> None:
        PlainToken.objects.all().delete()
        run("hash_tokens")
        assert not works(plain)

    def test_of_a_user_who_is_not_active(self, ada: User, plain: str) -> None:
        ada.is_active = False
        ada.save()
        assert not works(plain)
        run("hash_tokens")
        assert not works(plain)

    def test_the_admin_does_not_show_them(self, admin: Client, plain: str) -> None:
        assert "authtoken" not in admin.get("/admin/").content.decode()
        assert admin.get("/admin/authtoken/tokenproxy/").status_code == 404

    @pytest.mark.parametrize("way", ["migration", "command"])
    def test_keys_in_the_log_of_the_admin_are_removed(self, ada: User, way: str) -> None:
        lists = ContentType.objects.get(app_label="tasklists", model="tasklist")
        for content_type, object_id in (
            (ContentType.objects.get_for_model(TokenProxy, for_concrete_model=False), str(ada.pk)),
            (ContentType.objects.get_for_model(PlainToken), "f" * 40),
            (lists, "1"),
        ):
            LogEntry.objects.create(
                user=ada,
                action_flag=3,
                content_type=content_type,
                object_id=object_id,
                object_repr="f" * 40 if content_type != lists else "shopping",
            )
        assert KEY.search(everything_stored())
        if way == "migration":
            migration = importlib.import_module("service.migrations.0002_token")
            migration.remove_keys_from_log(apps, connection.schema_editor())
        else:
            run("hash_tokens")
        assert not KEY.search(everything_stored())
        assert [str(entry.object_repr) for entry in LogEntry.objects.order_by("id")] == [
            "token",
            "token",
            "shopping",
        ]

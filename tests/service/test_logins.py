"""Logins: how many may fail, how many run at a time, and what the log says about them."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from service import logins
from service.models import LoginFailure
from tests.conftest import BROWSER
from tests.process import Service, free_port, manage
from tests.wire import HANG

LOGIN_PATHS = ["/admin/login/", "/auth/login/"]
PASSWORD = "correct horse"
PROBE_TIMEOUT = 5  # seconds that the chart's probes of the application wait


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_superuser("ada", password=PASSWORD)


Login = Callable[..., Any]


@pytest.fixture(params=LOGIN_PATHS)
def login(request: pytest.FixtureRequest, user: User) -> Login:
    def send(password: str, name: str = "ada", address: str = "192.0.2.1", **headers: str) -> Any:
        form = {"username": name, "password": password, "next": "/lists"}
        return Client().post(request.param, form, REMOTE_ADDR=address, headers=headers)

    return send


def fail(login: Login, times: int, **where: str) -> None:
    for _ in range(times):
        assert login("wrong", **where).status_code == 200


def test_after_five_failures_the_right_password_is_refused_as_well(login: Login) -> None:
    fail(login, 5)
    for password in ("wrong", PASSWORD):
        refused = login(password)
        assert refused.status_code == 429
        assert refused["Content-Type"] == "application/problem+json"
        assert 1 <= int(refused["Retry-After"]) <= 900
        assert refused["Retry-After"] in refused.json()["detail"]


def test_a_browser_sees_a_page(login: Login) -> None:
    fail(login, 5)
    refused = login("wrong", Accept=BROWSER)
    assert refused.status_code == 429
    assert refused["Content-Type"].startswith("text/html")
    assert "Too many logins have failed" in refused.content.decode()


def test_a_name_that_no_user_has_is_answered_like_one_that_a_user_has(login: Login) -> None:
    def masked(answer: Any, name: str) -> tuple[int, str]:
        text = answer.content.decode().replace(name, "NAME")
        return answer.status_code, text.split("csrfmiddlewaretoken")[0]

    for _ in range(7):
        known, unknown = login("wrong"), login("wrong", name="eve")
        assert known.status_code == unknown.status_code
        assert known.headers.keys() == unknown.headers.keys()
        if known.status_code == 200:
            assert masked(known, "ada") == masked(unknown, "eve")
    assert unknown.status_code == 429


@pytest.mark.parametrize("elsewhere", ["192.0.2.2", "2001:db8::1"])
def test_the_user_may_log_in_from_elsewhere_meanwhile(login: Login, elsewhere: str) -> None:
    fail(login, 5)
    assert login(PASSWORD).status_code == 429
    assert login(PASSWORD, address=elsewhere).status_code == 302


def test_another_user_may_log_in_from_the_same_address(login: Login) -> None:
    User.objects.create_superuser("eve", password=PASSWORD)
    fail(login, 5)
    assert login(PASSWORD, name="eve").status_code == 302


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8::1", "2001:db8::ffff:1"),
        ("2001:db8::1", "2001:db8:0:0:ffff::1"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
        ("fe80::1%eth0", "fe80::2"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_addresses_of_one_client_count_together(login: Login, one: str, other: str) -> None:
    fail(login, 5, address=one)
    assert login(PASSWORD, address=other).status_code == 429


def test_an_address_may_fail_fifty_times_with_different_names(login: Login) -> None:
    LoginFailure.objects.bulk_create(
        LoginFailure(name=f"name{number}", network="192.0.2.1", time=timezone.now())
        for number in range(49)
    )
    fail(login, 1, name="eve")
    assert login(PASSWORD).status_code == 429
    assert login(PASSWORD, address="192.0.2.2").status_code == 302


def test_a_success_forgets_the_failures_of_this_name_at_this_address_alone(login: Login) -> None:
    fail(login, 4)
    fail(login, 4, name="eve")
    fail(login, 4, address="192.0.2.2")
    assert login(PASSWORD).status_code == 302
    fail(login, 5)
    for where in ({"name": "eve"}, {"address": "192.0.2.2"}):
        fail(login, 1, **where)
        assert login(PASSWORD, **where).status_code == 429


def test_a_refused_login_does_not_prolong_the_time(login: Login) -> None:
    fail(login, 5)
    before = set(LoginFailure.objects.values_list("pk", "time"))
    for _ in range(3):
        assert login("wrong").status_code == 429
    assert set(LoginFailure.objects.values_list("pk", "time")) == before


def test_failures_count_for_fifteen_minutes_and_are_then_deleted(login: Login) -> None:
    fail(login, 5)
    LoginFailure.objects.update(time=timezone.now() - timedelta(minutes=14, seconds=50))
    assert int(login(PASSWORD)["Retry-After"]) <= 10
    LoginFailure.objects.update(time=timezone.now() - timedelta(minutes=15))
    fail(login, 1)
    assert LoginFailure.objects.count() == 1
    assert login(PASSWORD).status_code == 302


def test_the_oldest_of_five_failures_says_when_to_try_again(login: Login) -> None:
    now = timezone.now()
    for minutes in (14, 13, 12, 5, 4, 3, 2):
        LoginFailure.objects.create(
            name="ada", network="192.0.2.1", time=now - timedelta(minutes=minutes)
        )
    assert 175 <= int(login(PASSWORD)["Retry-After"]) <= 180


@pytest.mark.parametrize("length", [151, 100_000])
def test_a_long_name_is_counted_and_logged_by_its_beginning(
    login: Login, length: int, caplog: pytest.LogCaptureFixture
) -> None:
    fail(login, 5, name="x" * length)
    assert login("wrong", name="x" * (length + 1)).status_code == 429
    assert LoginFailure.objects.first().name == "x" * 150  # type: ignore[union-attr]
    assert caplog.records
    assert all(len(record.getMessage()) < 500 for record in caplog.records)


@pytest.mark.parametrize("name", ["\0", "", "x\x00"])
def test_a_name_that_no_user_can_have_is_refused_by_the_form(login: Login, name: str) -> None:
    fail(login, 6, name=name)
    assert not LoginFailure.objects.exists()


@pytest.mark.parametrize("password", ["\0", "", "x" * 100_000, "\U0001f600"])
def test_any_password_is_wrong_and_no_defect(login: Login, password: str) -> None:
    assert login(password).status_code == 200


def test_an_inactive_user_fails(login: Login, user: User) -> None:
    User.objects.update(is_active=False)
    assert login(PASSWORD).status_code == 200
    assert LoginFailure.objects.count() == 1


def test_sessions_are_known_to_a_version_without_limits(user: User) -> None:
    """Pods of the previous version have Django's backend alone."""
    client = Client()
    client.post("/admin/login/", {"username": "ada", "password": PASSWORD})
    assert client.session["_auth_user_backend"] == "django.contrib.auth.backends.ModelBackend"
    assert client.get("/admin/").status_code == 200


def test_a_program_without_a_request_is_not_limited(user: User) -> None:
    for _ in range(7):
        assert authenticate(username="ada", password="wrong") is None
    assert authenticate(username="ada", password=PASSWORD) == user


def change_password(user: User, old: str, new: str = "battery staple") -> Any:
    """The answer to the admin's form, in a new session of the user."""
    client = Client(REMOTE_ADDR="192.0.2.1")
    client.force_login(user)
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post("/admin/password_change/", form)


def test_the_form_for_a_new_password_is_no_guess(user: User) -> None:
    client = Client(REMOTE_ADDR="192.0.2.1")
    client.force_login(user)
    for _ in range(6):
        assert client.get("/admin/password_change/").status_code == 200
    assert not LoginFailure.objects.exists()


def test_guesses_of_the_old_password_are_limited_as_logins_are(login: Login, user: User) -> None:
    for _ in range(6):
        assert change_password(user, PASSWORD, new="short").status_code == 200  # no guess
    for _ in range(5):
        assert change_password(user, "wrong").status_code == 200
    assert change_password(user, PASSWORD).status_code == 429
    assert login(PASSWORD).status_code == 429
    assert login(PASSWORD, address="192.0.2.2").status_code == 302
    LoginFailure.objects.all().delete()
    assert change_password(user, PASSWORD).status_code == 302


class TestAtATime:
    @pytest.fixture
    def others(self) -> Iterator[None]:
        """Two logins are under way in this process."""
        for _ in range(2):
            assert logins.turns.acquire(blocking=False)
        yield
        for _ in range(2):
            logins.turns.release()

    @pytest.mark.usefixtures("others")
    def test_a_third_one_is_refused_at_once_and_not_counted(self, login: Login) -> None:
        refused = login(PASSWORD)
        assert refused.status_code == 503
        assert refused["Retry-After"] == "1"
        assert not LoginFailure.objects.exists()

    @pytest.mark.usefixtures("others")
    def test_nor_is_another_password_checked_for_a_change(self, user: User) -> None:
        assert change_password(user, PASSWORD).status_code == 503

    @pytest.mark.parametrize("error", [None, OperationalError("gone")])
    def test_the_turn_is_given_back(
        self, login: Login, monkeypatch: pytest.MonkeyPatch, error: Exception | None
    ) -> None:
        if error:

            def broken(*arguments: Any) -> None:
                raise error

            monkeypatch.setattr(logins, "remember_failure", broken)
        for _ in range(4):
            assert login("wrong").status_code == (503 if error else 200)
        assert not logins.checking.locked()
        assert [logins.turns.acquire(blocking=False) for _ in range(3)] == [True, True, False]
        for _ in range(2):
            logins.turns.release()


@pytest.mark.parametrize(("seconds_ahead", "status"), [(50, 429), (3600, 302)])
def test_a_clock_that_was_far_ahead_locks_nobody_out(
    login: Login, seconds_ahead: int, status: int
) -> None:
    """The clocks of replicas may differ a little."""
    time = timezone.now() + timedelta(seconds=seconds_ahead)
    for _ in range(5):
        LoginFailure.objects.create(name="ada", network="192.0.2.1", time=time)
    assert login(PASSWORD).status_code == status
    assert LoginFailure.objects.exists() == (status == 429)


class TestCommand:
    def test_it_forgets_the_failures_of_a_name(
        self, login: Login, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fail(login, 5)
        fail(login, 1, name="eve")
        call_command("unlock_logins", "ada")
        assert capsys.readouterr().out == "forgotten: 5\n"
        assert login(PASSWORD).status_code == 302
        assert LoginFailure.objects.get().name == "eve"

    def test_it_says_that_the_name_is_unknown(
        self, db: None, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("unlock_logins", "Ada")
        assert capsys.readouterr().out == (
            "forgotten: 0\nNo login of 'Ada' has failed lately; letter case counts.\n"
        )

    def test_it_says_that_an_address_is_still_refused(
        self, login: Login, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for number in range(50):
            fail(login, 1, name=f"name {number}")
        fail(login, 1, name="eve", address="192.0.2.2")
        call_command("unlock_logins", "ada")
        assert "\nLogins from 192.0.2.1 are still refused, " in (out := capsys.readouterr().out)
        assert "192.0.2.2" not in out
        assert login(PASSWORD).status_code == 429
        call_command("unlock_logins")
        assert capsys.readouterr().out == "forgotten: 51\n"
        assert login(PASSWORD).status_code == 302

    def test_without_a_name_it_forgets_all(
        self, login: Login, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fail(login, 2)
        fail(login, 1, name="eve")
        call_command("unlock_logins")
        assert capsys.readouterr().out == "forgotten: 3\n"

    def test_it_says_in_one_line_that_the_database_is_not_migrated(self, database_url: str) -> None:
        result = manage("unlock_logins", DATABASE_URL=database_url)
        assert result.returncode == 1
        [line] = result.stderr.splitlines()
        assert "the database is unavailable or not migrated" in line


class TestServed:
    """With the real hash, processes, threads and log."""

    @pytest.fixture
    def service(self, serve: Callable[..., Service], database_url: str) -> Service:
        service = serve()
        variables = {"DATABASE_URL": database_url, "ADMIN_PASSWORD": PASSWORD}
        assert manage("ensure_admin", **variables).returncode == 0
        return service

    @staticmethod
    def login(service: Service, password: str, name: str = "admin") -> requests.Response:
        session = requests.Session()
        page = session.get(f"{service.url}/admin/login/", timeout=HANG)
        if page.status_code == 503:  # the service is overloaded
            return page
        form = {
            "username": name,
            "password": password,
            "csrfmiddlewaretoken": page.text.split('csrfmiddlewaretoken" value="')[1][:64],
        }
        url = f"{service.url}/admin/login/?next=/admin/"
        return session.post(url, form, timeout=HANG, allow_redirects=False)

    def test_guesses_at_the_same_time_count_each_other(self, service: Service) -> None:
        answers: list[requests.Response] = []

        def guess(number: int) -> None:
            while not any(answer.status_code == 429 for answer in answers):
                answers.append(self.login(service, "wrong"))

        with ThreadPoolExecutor(16) as threads:
            list(threads.map(guess, range(16)))
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) <= {200, 429, 503}
        # Of two workers, one may have looked just before the other one had counted.
        assert 5 <= statuses.count(200) <= 6
        refused = [answer for answer in answers if answer.status_code != 200]
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
        assert self.login(service, PASSWORD).status_code == 429

    def test_the_log_has_every_login_and_no_password(self, service: Service) -> None:
        for _ in range(5):
            self.login(service, "secret guess")
        self.login(service, "secret guess")
        self.login(service, "secret guess", name="eve\n{}")
        self.login(service, "secret guess", name="x" * 150)
        records = [each for each in service.records() if each["message"].startswith("user_log")]
        assert [each["message"] for each in records].count("user_login_failed") == 7
        refused = [each for each in records if each["message"] == "user_login_refused"]
        assert [each["username"] for each in refused] == ["admin"]
        assert 1 <= refused[0]["retry_after"] <= 900
        for each in records:
            assert each["remote_address"] == "127.0.0.1"
            assert each["level"] == "warning"
            assert each["request_id"]
        assert "secret guess" not in service.text()

    def test_probes_are_answered_while_a_hundred_clients_guess(
        self, serve: Callable[..., Service]
    ) -> None:
        """From as many addresses, so that the limits of failures refuse none of them."""
        service = serve(TRUST_PROXY_HEADERS="1")
        session = requests.Session()
        page = session.get(f"{service.url}/admin/login/", timeout=HANG)
        token = page.text.split('csrfmiddlewaretoken" value="')[1][:64]
        form = {"username": "admin", "password": "wrong", "csrfmiddlewaretoken": token}
        cookie = f"csrftoken={session.cookies['csrftoken']}"
        statuses: list[int] = []
        ended = threading.Event()

        def guess(number: int) -> None:
            headers = {"Cookie": cookie, "X-Forwarded-For": f"192.0.2.{number}"}
            while not ended.is_set():
                answer = requests.post(page.url, form, headers=headers, timeout=HANG)
                statuses.append(answer.status_code)

        with ThreadPoolExecutor(100) as clients:
            guesses = [clients.submit(guess, number) for number in range(100)]
            try:
                for path in ["/health/live", "/health/ready"] * 10:
                    assert requests.get(service.url + path, timeout=PROBE_TIMEOUT).ok
            finally:
                ended.set()
        for each in guesses:
            each.result()
        assert set(statuses) == {200, 503}

    def test_a_success_is_logged(self, service: Service) -> None:
        assert self.login(service, PASSWORD).status_code == 302
        [record] = [each for each in service.records() if each["message"] == "user_logged_in"]
        assert (record["level"], record["username"]) == ("info", "admin")
        assert PASSWORD not in service.text()

    def test_before_the_migration_it_is_503(
        self, service: Service, execute: Callable[[str], None]
    ) -> None:
        self.login(service, "wrong")
        execute("ALTER TABLE service_loginfailure RENAME TO elsewhere")
        assert self.login(service, PASSWORD).status_code == 503

    @pytest.mark.once(on="postgresql")
    def test_without_a_database_it_is_503(self) -> None:
        url = f"postgresql://127.0.0.1:{free_port()}/none"
        with Service({"DATABASE_URL": url, "MIGRATE": "never"}, awaited="/health/live") as service:
            answer = self.login(service, PASSWORD)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]


def test_only_logins_ask_the_table(
    client: Client, user: User, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        client.get("/lists")
    client.force_login(user)
    with django_assert_num_queries(3):  # session, user, lists
        client.get("/lists")


def test_behind_a_proxy_the_client_s_own_address_counts(
    login: Login, settings: LazySettings
) -> None:
    settings.TRUST_PROXY_HEADERS = 1
    for invented in range(5):
        forwarded = f"198.51.100.{invented}, 203.0.113.7"
        assert login("wrong", **{"X-Forwarded-For": forwarded}).status_code == 200
    assert login(PASSWORD, **{"X-Forwarded-For": "203.0.113.7"}).status_code == 429
    assert login(PASSWORD, **{"X-Forwarded-For": "203.0.113.8"}).status_code == 302


def test_a_failure_says_whose_it_is() -> None:
    assert str(LoginFailure(name="ada", network="192.0.2.1")) == "ada from 192.0.2.1"

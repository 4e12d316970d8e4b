"""API_ACCESS, tokens, sessions and CORS."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from tasklists.models import TaskList
from tests.process import Service
from tests.wire import HANG

REQUESTS = [
    ("get", "/lists", 200),
    ("get", "/lists/{id}", 200),
    ("post", "/lists", 201),
    ("put", "/lists/{id}", 200),
    ("patch", "/lists/{id}", 200),
    ("delete", "/lists/{id}", 204),
]


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("ada", password="correct horse")


def send(client: Client, method: str, path: str, task_list: TaskList, **headers: str) -> Any:
    body = None if method == "get" else {"name": "x"}
    path = path.format(id=task_list.pk)
    return getattr(client, method)(path, body, content_type="application/json", headers=headers)


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
@pytest.mark.parametrize("access", ["anyone", "read_only", "authenticated"])
def test_what_strangers_may_do(
    client: Client,
    settings: LazySettings,
    task_list: TaskList,
    access: str,
    method: str,
    path: str,
    status: int,
) -> None:
    settings.API_ACCESS = access
    response = send(client, method, path, task_list)
    if access == "anyone" or (access == "read_only" and method == "get"):
        assert response.status_code == status
    else:
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Token"
        assert response["Content-Type"] == "application/problem+json"
        assert TaskList.objects.get().version == 1


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
def test_a_token_may_do_everything(
    client: Client,
    settings: LazySettings,
    task_list: TaskList,
    user: User,
    capsys: pytest.CaptureFixture[str],
    method: str,
    path: str,
    status: int,
) -> None:
    settings.API_ACCESS = "authenticated"
    call_command("drf_create_token", "ada")
    token = capsys.readouterr().out.split()[2]
    response = send(client, method, path, task_list, Authorization=f"Token {token}")
    assert response.status_code == status


@pytest.mark.parametrize(
    "authorization", ["Token wrong", "Token", "Token a b", "Token \xff", "token wrong"]
)
def test_a_wrong_token_is_401_even_where_none_is_needed(
    client: Client, task_list: TaskList, authorization: str
) -> None:
    response = send(client, "get", "/lists", task_list, Authorization=authorization)
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"


def test_a_session_may_write_with_its_csrf_token_alone(
    settings: LazySettings, task_list: TaskList, user: User
) -> None:
    settings.API_ACCESS = "read_only"
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    refused = send(client, "post", "/lists", task_list)
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/problem+json"
    client.get("/lists", headers={"Accept": "text/html"})
    token = client.cookies["csrftoken"].value
    assert send(client, "post", "/lists", task_list, **{"X-CSRFToken": token}).status_code == 201


def test_the_browser_can_log_in_and_out(client: Client, user: User) -> None:
    answer = client.post(
        "/auth/login/?next=/lists", {"username": "ada", "password": "correct horse"}
    )
    assert answer["Location"] == "/lists"
    page = client.get("/lists", headers={"Accept": "text/html"})
    assert b"ada" in page.content


class TestCors:
    origin = "https://app.example.com"

    @pytest.fixture(autouse=True)
    def allowed(self, settings: LazySettings) -> None:
        settings.CORS_ALLOWED_ORIGINS = [self.origin]
        place = settings.MIDDLEWARE.index("service.middleware.ProblemDetailsMiddleware")
        settings.MIDDLEWARE = list(settings.MIDDLEWARE)
        settings.MIDDLEWARE.insert(place, "corsheaders.middleware.CorsMiddleware")

    def test_a_listed_origin_may_read_the_answer(self, client: Client, db: None) -> None:
        response = client.get("/lists", headers={"Origin": self.origin})
        assert response["Access-Control-Allow-Origin"] == self.origin
        exposed = response["Access-Control-Expose-Headers"].split(", ")
        assert {"ETag", "Link", "Location", "Retry-After"} <= set(exposed)

    def test_the_asterisk_allows_any(self, serve: Callable[..., Service]) -> None:
        service = serve(CORS_ALLOWED_ORIGINS="*")
        response = requests.get(
            f"{service.url}/lists", headers={"Origin": self.origin}, timeout=HANG
        )
        assert response.headers["Access-Control-Allow-Origin"] == "*"

    def test_an_error_too(self, client: Client) -> None:
        response = client.get("/nothing", headers={"Origin": self.origin})
        assert response.status_code == 404
        assert response["Access-Control-Allow-Origin"] == self.origin

    def test_another_origin_may_not(self, client: Client, db: None) -> None:
        response = client.get("/lists", headers={"Origin": "https://evil.example"})
        assert not response.has_header("Access-Control-Allow-Origin")

    def test_a_preflight_allows_conditional_changes(self, client: Client) -> None:
        response = client.options(
            "/lists/1",
            headers={
                "Origin": self.origin,
                "Access-Control-Request-Method": "PUT",
                "Access-Control-Request-Headers": "if-match, content-type",
            },
        )
        assert response["Access-Control-Allow-Origin"] == self.origin
        assert "PUT" in response["Access-Control-Allow-Methods"]
        assert "if-match" in response["Access-Control-Allow-Headers"]


class TestProxy:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "tasks.example.com"}

    @pytest.fixture(autouse=True)
    def hosts(self, settings: LazySettings) -> None:
        settings.ALLOWED_HOSTS = ["tasks.example.com", "testserver"]
        settings.SECURE_SSL_REDIRECT = True  # as with HTTPS_ONLY, and so is the middleware
        settings.MIDDLEWARE = [
            *settings.MIDDLEWARE,
            "django.middleware.security.SecurityMiddleware",
        ]

    def test_a_trusted_proxy_says_that_the_client_used_https(
        self, client: Client, settings: LazySettings, db: None
    ) -> None:
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        assert client.get("/lists", headers=self.headers).status_code == 200
        redirect = client.get("/lists", headers={**self.headers, "X-Forwarded-Proto": "http"})
        assert redirect.status_code == 301

    def test_without_trust_the_headers_mean_nothing(self, client: Client) -> None:
        response = client.get("/lists", headers=self.headers)
        assert response.status_code == 301
        assert response["Location"] == "https://testserver/lists"

    def test_https_only(self, serve: Callable[..., Service]) -> None:
        service = serve(
            HTTPS_ONLY="true", TRUST_PROXY_HEADERS="true", ALLOWED_HOSTS="tasks.example.com"
        )

        def get(**headers: str) -> requests.Response:
            headers |= {"X-Forwarded-Host": "tasks.example.com"}
            url = f"{service.url}/lists"
            return requests.get(url, headers=headers, timeout=HANG, allow_redirects=False)

        assert get().status_code == 301
        assert get().headers["Location"] == "https://tasks.example.com/lists"
        assert requests.get(f"{service.url}/health/live", timeout=HANG).status_code == 200
        secure = get(**{"X-Forwarded-Proto": "https"})
        assert secure.status_code == 200
        assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"

"""API_ACCESS, tokens, sessions and CORS."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from service.models import Token
from service.tokens import digest, new_key
from tasklists.models import TaskList
from tests.conftest import BROWSER
from tests.process import Service
from tests.rest.conftest import Sample, Send
from tests.wire import HANG

pytestmark = pytest.mark.once(on="postgresql")

REQUESTS = [
    ("get", "collection", 200),
    ("post", "collection", 201),
    ("get", "row", 200),
    ("put", "row", 200),
    ("patch", "row", 200),
    ("delete", "row", 204),
]


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("ada", password="correct horse")


def make_token(user: User) -> str:
    """The key of a new token."""
    key = new_key()
    Token.objects.create(digest=digest(key), user=user)
    return key


def target(resource: Sample, kind: str) -> str:
    return resource.collection if kind == "collection" else resource.path(resource.the_row())


@pytest.mark.parametrize(("method", "kind", "status"), REQUESTS)
@pytest.mark.parametrize("access", ["anyone", "read_only", "authenticated"])
@pytest.mark.usefixtures("row")
def test_what_anonymous_clients_may_do(
    send: Send,
    settings: LazySettings,
    resource: Sample,
    access: str,
    method: str,
    kind: str,
    status: int,
) -> None:
    settings.API_ACCESS = access
    response = send(method, target(resource, kind), resource.body)
    if access == "anyone" or (access == "read_only" and method == "get"):
        assert response.status_code == status
    else:
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == 'Token realm="api", Bearer realm="api"'
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["detail"].startswith("Send `Authorization: Token KEY` or `Bearer")
        assert resource.the_row().version == 1


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_whole_collections_are_protected_as_well(
    send: Send, settings: LazySettings, task_list: TaskList, method: str
) -> None:
    task_list.tasks.create(title="milk")
    settings.API_ACCESS = "read_only"
    response = send(method, f"/lists/{task_list.pk}/tasks", {"completed": True})
    assert response.status_code == 401
    assert task_list.tasks.get().version == 1


@pytest.mark.parametrize("scheme", ["Token", "Bearer", "bearer"])
@pytest.mark.parametrize(("method", "kind", "status"), REQUESTS)
@pytest.mark.usefixtures("row")
def test_a_token_may_do_everything(
    send: Send,
    settings: LazySettings,
    resource: Sample,
    user: User,
    capsys: pytest.CaptureFixture[str],
    scheme: str,
    method: str,
    kind: str,
    status: int,
) -> None:
    settings.API_ACCESS = "authenticated"
    call_command("drf_create_token", "ada")
    token = capsys.readouterr().out.split()[2]
    path = target(resource, kind)
    response = send(method, path, resource.body, Authorization=f"{scheme} {token}")
    assert response.status_code == status


WRONG = [
    *("Token wrong", "Token", "Token a b", "Token \xff", "Token \x00", "Token " + "a" * 41),
    *("Bearer wrong", "Bearer", "Bearer a b", "Bearer \xff", "Bearer \x00", "token wrong"),
    *("Basic YTpi", "Digest username=ada", "rubbish", "\xff", "\x00", "Tokenx", ", Token a"),
]


@pytest.mark.parametrize("authorization", WRONG)
def test_a_wrong_token_is_401_even_where_none_is_needed(
    send: Send, resource: Sample, authorization: str
) -> None:
    response = send("get", resource.collection, Authorization=authorization)
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response["WWW-Authenticate"] == 'Token realm="api", Bearer realm="api"'


@pytest.mark.parametrize("authorization", ["Token wrong", "Bearer wrong", "Basic YTpi"])
@pytest.mark.parametrize("path", ["/schema", "/docs", "/lists"])
@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_a_wrong_token_is_401_for_the_documentation_and_for_pages(
    send: Send, path: str, accept: str, authorization: str, db: None
) -> None:
    response = send("get", path, Authorization=authorization, Accept=accept)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Token ")


@pytest.mark.parametrize("authorization", ["Basic YTpi", "Bearer", "Token a b", "rubbish"])
def test_a_wrong_scheme_says_what_is_expected(send: Send, db: None, authorization: str) -> None:
    detail = send("get", "/lists", Authorization=authorization).json()["detail"]
    assert "Token KEY" in detail
    assert "Bearer KEY" in detail


@pytest.mark.parametrize("authorization", ["", " "])
def test_an_empty_header_is_none(send: Send, db: None, authorization: str) -> None:
    assert send("get", "/lists", Authorization=authorization).status_code == 200


def test_the_token_of_an_inactive_user_is_401(send: Send, user: User) -> None:
    key = make_token(user)
    user.is_active = False
    user.save()
    response = send("get", "/lists", Authorization=f"Bearer {key}")
    assert response.status_code == 401
    assert response.json()["detail"] == "User inactive or deleted."


class TestDocumentation:
    """/schema and /docs are for those who may read the API."""

    @pytest.fixture(autouse=True, params=["/schema", "/docs", "/docs/"])
    def _path(self, request: pytest.FixtureRequest, db: None) -> None:
        self.path = request.param

    @pytest.mark.parametrize("access", ["anyone", "read_only"])
    @pytest.mark.parametrize("accept", ["*/*", BROWSER])
    def test_who_may_read_the_api_may_read_it(
        self, send: Send, settings: LazySettings, access: str, accept: str
    ) -> None:
        settings.API_ACCESS = access
        assert send("get", self.path, Accept=accept).status_code == 200

    def test_programs_need_a_token(self, send: Send, settings: LazySettings, user: User) -> None:
        settings.API_ACCESS = "authenticated"
        refused = send("get", self.path)
        assert refused.status_code == 401
        assert refused["Content-Type"] == "application/problem+json"
        key = make_token(user)
        assert send("get", self.path, Authorization=f"Token {key}").status_code == 200

    def test_a_browser_is_led_to_the_login_and_back(
        self, browser: Client, settings: LazySettings, user: User
    ) -> None:
        settings.API_ACCESS = "authenticated"
        refused = browser.get(f"{self.path}?version=x")
        assert refused.status_code == 302
        form = {"username": "ada", "password": "correct horse"}
        after = browser.post(refused["Location"], form)
        assert after["Location"] == f"{self.path}?version=x"
        assert browser.get(after["Location"]).status_code == 200

    def test_a_form_is_led_nowhere(self, browser: Client, settings: LazySettings) -> None:
        settings.API_ACCESS = "authenticated"
        assert browser.post(self.path).status_code == 401

    def test_a_browser_with_a_wrong_token_is_not(
        self, browser: Client, settings: LazySettings
    ) -> None:
        settings.API_ACCESS = "authenticated"
        refused = browser.get(self.path, headers={"Authorization": "Token wrong"})
        assert refused.status_code == 401


def test_swagger_ui_reads_and_writes_with_the_session(
    settings: LazySettings, resource: Sample, user: User
) -> None:
    settings.API_ACCESS = "authenticated"
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    page = client.get("/docs", headers={"Accept": BROWSER}).content.decode()
    # Its script sends the session's cookie, and adds this header unless the method is GET.
    [(name, token)] = re.findall(r'request\.headers\["(X-CSRFTOKEN)"\] = "(\w+)"', page)
    assert client.get("/schema").status_code == 200
    created = client.post(
        resource.collection, resource.body, "application/json", headers={name: token}
    )
    assert created.status_code == 201


def test_a_session_may_write_with_its_csrf_token_alone(
    settings: LazySettings, resource: Sample, user: User
) -> None:
    settings.API_ACCESS = "read_only"
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)

    def create(**headers: str) -> Any:
        return client.post(resource.collection, resource.body, "application/json", headers=headers)

    refused = create()
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/problem+json"
    client.get(resource.collection, headers={"Accept": "text/html"})
    assert create(**{"X-CSRFToken": client.cookies["csrftoken"].value}).status_code == 201
    assert resource.count() == 1


def test_the_browser_can_log_in_and_out(client: Client, user: User) -> None:
    answer = client.post(
        "/auth/login/?next=/lists", {"username": "ada", "password": "correct horse"}
    )
    assert answer["Location"] == "/lists"
    page = client.get("/lists", headers={"Accept": "text/html"})
    assert b"ada" in page.content


class TestForms:
    """Browsers send a form of any site to any other, so each form needs its CSRF token."""

    @pytest.fixture
    def visitor(self, db: None) -> Client:
        """Somebody's browser; nobody has logged in."""
        return Client(enforce_csrf_checks=True, headers={"Accept": BROWSER})

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Accept": "text/html", "Origin": "https://evil.example"},
            {"Origin": "http://testserver"},
            {},
        ],
        ids=str,
    )
    def test_a_form_without_its_token_is_refused(
        self, visitor: Client, resource: Sample, path: str, headers: dict[str, str]
    ) -> None:
        visitor.get(resource.collection)  # the visitor has a cookie of an earlier visit
        form = {**resource.body, resource.text: "forged"}
        for target in (resource.collection, f"{resource.collection}/"):
            response = visitor.post(target, form, headers=headers)
            assert response.status_code == 403
            assert "CSRF" in response.content.decode()
        assert resource.count() == 1

    @pytest.mark.parametrize(
        "media_type", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/mixed"]
    )
    def test_nothing_else_that_a_form_may_send_is_read(
        self, visitor: Client, resource: Sample, media_type: str
    ) -> None:
        body = json.dumps(resource.body)
        for accept in (BROWSER, "*/*"):
            headers = {"Accept": accept, "Origin": "https://evil.example"}
            response = visitor.generic(
                "POST", resource.collection, body, media_type, headers=headers
            )
            assert response.status_code == 415
        assert resource.count() == 0

    def test_the_form_of_the_page_has_its_token(self, visitor: Client, resource: Sample) -> None:
        page = visitor.get(resource.collection).content.decode()
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)
        assert token
        form = {**resource.body, "csrfmiddlewaretoken": token[1]}
        headers = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
        assert visitor.post(resource.collection, form, headers=headers).status_code == 201
        foreign = visitor.post(
            resource.collection, form, headers={"Origin": "https://evil.example"}
        )
        assert foreign.status_code == 403


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

    def test_apps_and_subdomains_may_be_allowed(self, serve: Callable[..., Service]) -> None:
        """On every path, with the headers that were added."""
        service = serve(
            CORS_ALLOWED_ORIGINS="capacitor://localhost,https://*.example.com",
            CORS_ALLOW_HEADERS="traceparent,Baggage",
            TRUST_PROXY_HEADERS="true",
            HTTPS_ONLY="true",
        )
        paths = ["/health/live", "/health/ready", "/lists", "/nothing", "/docs"]
        for path in paths:
            for origin, allowed in {
                "capacitor://localhost": "capacitor://localhost",
                "https://app.example.com": "https://app.example.com",
                "https://a.b.example.com": "https://a.b.example.com",
                "https://example.com": None,
                "http://app.example.com": None,
                "https://evil.example?.example.com": None,
                "https://app.example.com.evil.example": None,
                "null": None,
            }.items():
                headers = {"Origin": origin, "X-Forwarded-Proto": "https"}
                response = requests.get(f"{service.url}{path}", headers=headers, timeout=HANG)
                assert response.headers.get("Access-Control-Allow-Origin") == allowed
                assert response.headers["X-Request-ID"]
        preflight = requests.options(
            f"{service.url}/lists",
            headers={
                "Origin": "capacitor://localhost",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "baggage,traceparent",
            },
            timeout=HANG,
        )
        names = preflight.headers["Access-Control-Allow-Headers"].split(", ")
        assert {"traceparent", "Baggage", "if-match"} <= set(names)

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
        settings.SECURE_SSL_REDIRECT = True  # as with HTTPS_ONLY

    def test_a_trusted_proxy_says_that_the_client_used_https(
        self, client: Client, settings: LazySettings, db: None
    ) -> None:
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        assert client.get("/lists", headers=self.headers).status_code == 200
        redirect = client.get("/lists", headers={**self.headers, "X-Forwarded-Proto": "http"})
        assert redirect.status_code == 308

    def test_without_trust_the_headers_mean_nothing(self, client: Client) -> None:
        response = client.get("/lists", headers=self.headers)
        assert response.status_code == 308
        assert response["Location"] == "https://testserver/lists"

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
    def test_nothing_but_a_read_is_redirected(
        self, send: Send, resource: Sample, path: str, method: str
    ) -> None:
        """Most clients repeat a POST as a GET, whose 200 looks as if something had been created."""
        for target in (resource.collection, path, "/admin/login/", "/nothing"):
            response = send(method, f"{target}?a=b", resource.body)
            assert response.status_code == 403
            assert response["Content-Type"] == "application/problem+json"
            assert f"https://testserver{target}?a=b" in response.json()["detail"]
        assert resource.the_row().version == 1

    def test_a_read_is_redirected_with_its_query(self, client: Client) -> None:
        for read in (client.get, client.head):
            response = read("/lists?limit=1")
            assert response.status_code == 308
            assert response["Location"] == "https://testserver/lists?limit=1"

    def test_the_first_of_a_list_counts(self, serve: Callable[..., Service]) -> None:
        """Apache adds its own name to the one that an outer proxy has set."""
        service = serve(
            HTTPS_ONLY="true", TRUST_PROXY_HEADERS="true", ALLOWED_HOSTS="tasks.example.com"
        )

        def post(path: str, body: dict[str, str], hosts: str) -> requests.Response:
            headers = {"X-Forwarded-Host": hosts, "X-Forwarded-Proto": "https, http"}
            return requests.post(f"{service.url}{path}", json=body, headers=headers, timeout=HANG)

        created = post("/lists", {"name": "a"}, "tasks.example.com, inner")
        task = post(f"{created.headers['Location']}/tasks", {"title": "a"}, "tasks.example.com,x")
        assert task.json()["url"].startswith("https://tasks.example.com/tasks/")
        assert post("/lists", {"name": "a"}, "evil.example, tasks.example.com").status_code == 400

    def test_what_means_nothing_in_the_headers_of_a_proxy_is_left_out(
        self, serve: Callable[..., Service]
    ) -> None:
        service = serve(HTTPS_ONLY="true", TRUST_PROXY_HEADERS="true")

        def get(host: str, scheme: str) -> requests.Response:
            headers = {"X-Forwarded-Host": host, "X-Forwarded-Proto": scheme}
            url = f"{service.url}/lists"
            return requests.get(url, headers=headers, timeout=HANG, allow_redirects=False)

        assert get("", "HTTPS").status_code == 200
        assert get(", localhost", ", https").status_code == 200
        redirect = get("localhost:80", "")
        assert redirect.headers["Location"] == "https://localhost/lists"

    def test_https_only(self, serve: Callable[..., Service]) -> None:
        service = serve(
            HTTPS_ONLY="true", TRUST_PROXY_HEADERS="true", ALLOWED_HOSTS="tasks.example.com"
        )

        def get(**headers: str) -> requests.Response:
            headers |= {"X-Forwarded-Host": "tasks.example.com"}
            url = f"{service.url}/lists"
            return requests.get(url, headers=headers, timeout=HANG, allow_redirects=False)

        assert get().status_code == 308
        posted = requests.post(
            f"{service.url}/lists",
            json={"name": "a"},
            headers={"X-Forwarded-Host": "tasks.example.com"},
            timeout=HANG,
        )
        assert posted.status_code == 403
        assert get().headers["Location"] == "https://tasks.example.com/lists"
        assert requests.get(f"{service.url}/health/live", timeout=HANG).status_code == 200
        secure = get(**{"X-Forwarded-Proto": "https"})
        assert secure.status_code == 200
        assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"

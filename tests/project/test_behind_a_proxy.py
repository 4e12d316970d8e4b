"""The nginx and HAProxy of docs/configuration.md, with TLS, in front of the service."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from tests.conftest import BROWSER, empty_database
from tests.load import eventually
from tests.process import ROOT, Service, manage
from tests.proxies import HAProxy, Nginx, Proxy
from tests.wire import HANG

pytestmark = pytest.mark.once(on="sqlite")

PAGE = (ROOT / "docs" / "configuration.md").read_text()
ADMIN = {"ADMIN_USERNAME": "ada", "ADMIN_PASSWORD": "correct horse"}
PREFIX = "/todo"


def blocks(language: str) -> list[str]:
    """Two of nginx and two of HAProxy: the whole, and what differs with a prefix."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", PAGE)


def variables() -> dict[str, str]:
    [command] = [block for block in blocks("sh") if "TRUST_PROXY_HEADERS" in block]
    found = dict(re.findall(r"([A-Z_]+)=(\S+)", command))
    return found | {"ALLOWED_HOSTS": found["ALLOWED_HOSTS"].replace("example.com", "localhost")}


def nginx(prefix: str) -> str:
    whole, with_prefix = blocks("nginx")
    if prefix:
        whole, count = re.subn(r"(?ms)^    location / {.*?^    }\n", with_prefix, whole)
        assert count == 1
    return whole


def haproxy(prefix: str) -> str:
    whole, with_prefix = (block.replace("%", "%%") for block in blocks("haproxy"))
    if prefix:
        assert whole.count("    default_backend tasklists\n") == 1
        whole = whole.replace("    default_backend tasklists\n", with_prefix)
    return whole


def here(text: str) -> str:
    """Have the proxy listen on a free port of this machine, with a certificate for localhost."""
    for old, new in {
        r"listen 443\b": "listen 127.0.0.1:%(port)d",
        r"bind :443\b": "bind 127.0.0.1:%(port)d",
        r"\b127\.0\.0\.1:5000\b": "127.0.0.1:%(service)d",
        r"/etc/ssl/example\.com": "%(certificates)s/localhost",
        r"\bserver_name example\.com\b": "server_name localhost",
    }.items():
        text = re.sub(old, new, text)
    return text


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``localhost.pem``, which also has the key, as HAProxy reads it."""
    folder = tmp_path_factory.mktemp("certificates")
    key, certificate = folder / "localhost.key", folder / "localhost.pem"
    command = "openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *subject, *files], check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + key.read_text())
    return folder


@pytest.fixture(scope="module", params=["", PREFIX], ids=["root", "prefix"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    with empty_database(tmp_path_factory.mktemp("service")) as database:
        settings = variables() | {"DATABASE_URL": database, "URL_PREFIX": request.param, **ADMIN}
        with Service(settings) as started:
            manage("ensure_admin", **started.variables)
            yield started


@pytest.fixture(scope="module", params=[HAProxy, Nginx], ids=lambda kind: kind.program)
def url(request: pytest.FixtureRequest, service: Service, certificates: Path) -> Iterator[str]:
    """The address of the service for clients of the proxy."""
    prefix = service.variables["URL_PREFIX"]
    kind: type[Proxy] = request.param
    whole = {HAProxy: haproxy(prefix), Nginx: f"{Nginx.beginning}{nginx(prefix)}}}\n"}
    text = here(whole[kind]).replace("%(certificates)s", str(certificates))
    documented = type("Documented", (kind,), {"configuration": text})
    with documented(service) as proxy:
        yield f"https://localhost:{proxy.port}{prefix}"


@pytest.fixture
def browser(certificates: Path) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False  # or a bundle that the environment names counts instead
        session.verify = str(certificates / "localhost.pem")
        yield session


def test_addresses_are_those_of_the_proxy(url: str, browser: requests.Session) -> None:
    created = browser.post(f"{url}/lists", json={"name": "a"}, timeout=HANG)
    assert created.status_code == 201
    tasks = urljoin(url, f"{created.headers['Location']}/tasks")
    task = browser.post(tasks, json={"title": "a"}, timeout=HANG).json()
    assert task["url"] == f"{url}/tasks/{task['id']}"
    assert browser.get(task["url"], timeout=HANG).json() == task


def test_an_administrator_logs_in_with_a_browser(url: str, browser: requests.Session) -> None:
    browser.headers["Accept"] = BROWSER
    login = browser.get(f"{url}/admin/", timeout=HANG)
    [token] = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', login.text)
    form = {
        "csrfmiddlewaretoken": token,
        "username": ADMIN["ADMIN_USERNAME"],
        "password": ADMIN["ADMIN_PASSWORD"],
    }
    origin = f"https://{urlsplit(url).netloc}"
    index = browser.post(login.url, form, headers={"Origin": origin}, timeout=HANG)
    assert index.status_code == 200, index.text
    assert index.url == f"{url}/admin/"


def test_what_a_client_writes_into_the_headers_does_not_count(
    url: str, browser: requests.Session, service: Service
) -> None:
    path = f"/nothing-at-{urlsplit(url).port}"
    forged = {
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-For": "203.0.113.5",
    }
    answer = browser.get(f"{url}{path}", headers=forged, allow_redirects=False, timeout=HANG)
    assert answer.status_code == 404

    def logged() -> list[str]:
        return [each["remote_address"] for each in service.records() if each.get("path") == path]

    eventually(logged, "the record of the request")
    assert logged() == ["127.0.0.1"]

"""Django's settings; docs/configuration.md describes each variable."""

import sys
from pathlib import Path
from typing import Any

from project import accounts, database, logs, origins, paths
from project import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent
RUNSERVER = sys.argv[1:2] == ["runserver"]

SERVICE_NAME = env.SERVICE_NAME
VERSION = "0.2.0"  # as chart/Chart.yaml has it
REVISION = env.text(
    "REVISION", default="", pattern=r"[!-~]{1,100}", accepted="up to 100 printable ASCII characters"
)

# Security
SECRET_KEY = env.secret_key("SECRET_KEY")
SECRET_KEY_IS_RANDOM = SECRET_KEY.startswith(env.EPHEMERAL_PREFIX)
DEBUG = env.boolean("DEBUG", default=RUNSERVER)
DEFAULT_EXCEPTION_REPORTER = "service.debug_page.SecretsReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "service.debug_page.SecretsFilter"
ALLOWED_HOSTS = env.parsed_list(
    "ALLOWED_HOSTS",
    default=["localhost", ".localhost", "127.0.0.1", "[::1]"],
    parse=origins.allowed_host,
    accepted="host names without port (.example.com for all below it, * for any)",
)
API_ACCESS = env.choice(
    "API_ACCESS", default="anyone", choices=["anyone", "read_only", "authenticated"]
)
_origins = env.parsed_list(
    "CORS_ALLOWED_ORIGINS",
    default=[],
    parse=lambda text: text if text == "*" else origins.origin(text, subdomains=True, schemes=()),
    accepted="origins such as https://app.example.com, https://*.example.com "
    "or capacitor://localhost, or * for any",
)
CORS_ALLOW_ALL_ORIGINS = "*" in _origins
CORS_ALLOWED_ORIGINS = [origin for origin in _origins if "*" not in origin]
CORS_ALLOWED_ORIGIN_REGEXES = [origins.pattern(each) for each in _origins if "*." in each]
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-request-id",
    *env.strings(
        "CORS_ALLOW_HEADERS",
        default=[],
        pattern=r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}",
        accepted="names of headers",
    ),
]
CORS_EXPOSE_HEADERS = ["ETag", "Link", "Location", "Retry-After", "Served-By", "X-Request-ID"]
CSRF_TRUSTED_ORIGINS = env.parsed_list(
    "CSRF_TRUSTED_ORIGINS",
    default=[],
    parse=lambda text: origins.origin(text, subdomains=True),
    accepted="origins such as https://app.example.com or https://*.example.com",
)
CSRF_FAILURE_VIEW = "service.csrf.failure"
LOGIN_URL = "rest_framework:login"
LOGIN_REDIRECT_URL = "front"  # unless the page that asked for the login is known
LOGOUT_REDIRECT_URL = "front"
TRUST_PROXY_HEADERS = env.count_or_boolean("TRUST_PROXY_HEADERS", maximum=10)  # of proxies
USE_X_FORWARDED_HOST = bool(TRUST_PROXY_HEADERS)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUST_PROXY_HEADERS else None
# Where a proxy serves the service: /todo for https://example.com/todo/lists.
URL_PREFIX = env.parsed(
    "URL_PREFIX",
    default="",
    parse=paths.prefix,
    accepted="a path such as /todo, of letters, digits and ._~-",
)
FORCE_SCRIPT_NAME = URL_PREFIX or None
# Services on one host have cookies of their own. A browser also sends the cookies of a service at /
# to those below it, and of two cookies with one name Django takes that of /.
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = URL_PREFIX or "/"
SESSION_COOKIE_NAME = f"sessionid{URL_PREFIX.replace('/', '-')}"
CSRF_COOKIE_NAME = f"csrftoken{URL_PREFIX.replace('/', '-')}"
HTTPS_ONLY = env.boolean("HTTPS_ONLY", default=False)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [""]  # matches every path: HttpsOnlyMiddleware redirects, not Django's
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS_ONLY else 0
# W005 and W021 ask for HSTS on subdomains and in browsers' preload lists: decisions about a whole
# domain, not about one service in it.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if not HTTPS_ONLY:
    # HSTS, the redirect to https and secure cookies; service.I001 says all of it at once.
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W008", "security.W012", "security.W016"]
# Bytes of a body; beyond it is 413. JSON takes up to 30 times its size in Python's memory, and each
# thread may hold a body. A text of 255 characters takes 3 KB when all of them are escaped, and the
# largest form is that of a list with its tasks in the admin (docs/decisions/service.md).
DATA_UPLOAD_MAX_MEMORY_SIZE = 128 * 1024

# Database
DATABASE_URL = env.secret("DATABASE_URL")
MIGRATION_DATABASE_URL = env.secret("MIGRATION_DATABASE_URL")
DATABASE_PASSWORD = env.secret("DATABASE_PASSWORD")
DATABASE_CONN_MAX_AGE = env.integer("DATABASE_CONN_MAX_AGE", default=60, minimum=0, maximum=86400)
DATABASE_CONNECT_TIMEOUT = env.integer("DATABASE_CONNECT_TIMEOUT", default=3, minimum=1, maximum=60)
DATABASE_STATEMENT_TIMEOUT = env.integer(
    "DATABASE_STATEMENT_TIMEOUT", default=10, minimum=0, maximum=3600
)
DATABASE_WAIT = env.integer("DATABASE_WAIT", default=60, minimum=0, maximum=86400)
MIGRATE = env.choice("MIGRATE", default="auto", choices=["auto", "never"])
DATABASES: dict[str, dict[str, Any]] = {
    "default": database.from_url(
        "DATABASE_URL",
        DATABASE_URL,
        password=DATABASE_PASSWORD,
        conn_max_age=DATABASE_CONN_MAX_AGE,
        connect_timeout=DATABASE_CONNECT_TIMEOUT,
        # A pooler refuses this option. service/deadlines.py limits statements without it.
        statement_timeout=0 if MIGRATION_DATABASE_URL else DATABASE_STATEMENT_TIMEOUT,
        default_file=BASE_DIR / "tasklists.sqlite3",
    )
}
if MIGRATION_DATABASE_URL:
    # The same database, past the pooler that DATABASE_URL names.
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
    DATABASES["migration"] = database.from_url(
        "MIGRATION_DATABASE_URL",
        MIGRATION_DATABASE_URL,
        password=DATABASE_PASSWORD,
        conn_max_age=0,
        connect_timeout=DATABASE_CONNECT_TIMEOUT,
        statement_timeout=0,
    ) | {"TEST": {"MIRROR": "default"}}
# The number of the advisory lock under which `migrate` runs: "tasklist" in ASCII. It stays the
# same in every version, since Pods of two versions may start at once.
MIGRATION_LOCK = int.from_bytes(b"tasklist")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Server (server/)
WSGI_APPLICATION = "server.wsgi.application"
# The arguments with which `manage.py serve` replaces its process by the server.
SERVER_ARGUMENTS = ["-m", "gunicorn", "--config", "server/gunicorn.conf.py"]
HOST = env.address("HOST", default="")  # empty: all interfaces
PORT = env.integer("PORT", default=5000, minimum=1, maximum=65535)
METRICS_PORT = env.integer("METRICS_PORT", default=0, minimum=0, maximum=65535)  # 0: no metrics
METRICS_COLLECTORS = ["service.collector.ServiceCollector"]
WEB_CONCURRENCY = env.integer("WEB_CONCURRENCY", default=2, minimum=1, maximum=256)
THREADS = env.integer("THREADS", default=4, minimum=1, maximum=256)
GRACEFUL_TIMEOUT = env.integer("GRACEFUL_TIMEOUT", default=30, minimum=0, maximum=3600)
KEEP_ALIVE = env.integer("KEEP_ALIVE", default=30, minimum=0, maximum=3600)
CLIENT_TIMEOUT = env.integer("CLIENT_TIMEOUT", default=20, minimum=1, maximum=3600)
SERVED_BY = env.text(
    "SERVED_BY",
    default="",
    pattern=r"[!-~]{1,253}",
    accepted="up to 253 printable ASCII characters without spaces",
)

# In whose words `manage.py doctor` names commands, and the chart's values in them
RUNS_IN = env.runs_in("RUNS_IN")
HELM_VALUES = {
    "ALLOWED_HOSTS": "config.allowedHosts",
    "API_ACCESS": "config.apiAccess",
    "GRACEFUL_TIMEOUT": "shutdown.gracefulTimeoutSeconds",
    "HTTPS_ONLY": "config.httpsOnly",
    "LOG_FORMAT": "config.logFormat",
    "LOG_LEVEL": "config.logLevel",
    "SECRET_KEY": "secretKey.value",
    "THREADS": "config.threads",
    "TRUST_PROXY_HEADERS": "config.trustProxyHeaders",
    "WEB_CONCURRENCY": "config.webConcurrency",
}

# The first administrator (manage.py ensure_admin)
ADMIN_USERNAME = env.parsed(
    "ADMIN_USERNAME",
    default="admin",
    parse=accounts.username,
    accepted="up to 150 letters, digits and @.+-_",
)
ADMIN_EMAIL = env.parsed(
    "ADMIN_EMAIL", default="", parse=accounts.email, accepted="an e-mail address"
)
ADMIN_PASSWORD = env.secret("ADMIN_PASSWORD")

# Application
INSTALLED_APPS = [
    "tasklists",
    "tasklists.web",  # the page: its template and its static files
    "service",
    "rest.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_filters",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "service.middleware.RequestIdMiddleware",
    "service.routes.RouteMiddleware",
    "service.middleware.ContentLengthMiddleware",
    *(["service.middleware.ServedByMiddleware"] if SERVED_BY else []),
    "rest.caching.PrivateResponses",
    # First among those that answer requests themselves, so that each of their responses has the
    # protective headers too. HttpsOnlyMiddleware redirects.
    "django.middleware.security.SecurityMiddleware",
    *(["corsheaders.middleware.CorsMiddleware"] if _origins else []),
    "service.health.HealthMiddleware",
    "service.middleware.RefuseMalformedRequests",
    "service.middleware.ProblemDetailsMiddleware",
    "service.middleware.HttpsOnlyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "service.middleware.SkipForAnonymousApi",  # may skip what follows
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
# Anonymous requests to these paths skip sessions, CSRF and authentication.
API_PATHS = r"/|/instance|/(lists|tasks)(/.*)?"
ROOT_URLCONF = "project.urls"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTHENTICATION_BACKENDS = [
    "service.logins.LimitedBackend",  # checks passwords, and refuses after too many failures
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

# Static files
STATIC_URL = f"{URL_PREFIX}/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "service.staticfiles.HashedStaticFiles"},
}
WHITENOISE_MAX_AGE = 3600
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # no page refers to the others

# API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest.access.ApiAccess"],
    "DEFAULT_PARSER_CLASSES": ["rest.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest.renderers.JSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "rest.negotiation.ContentNegotiation",
    "DEFAULT_FILTER_BACKENDS": ["rest.filters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "rest.schema.ApiSchema",
    "EXCEPTION_HANDLER": "rest.exceptions.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "FORMAT_SUFFIX_KWARG": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tasklists",
    "DESCRIPTION": "Lists and their tasks over HTTP.",
    "VERSION": VERSION,
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": URL_PREFIX or "/"}],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest.access.ApiAccess"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "GET_LIB_DOC_EXCLUDES": "rest.schema.doc_excludes",
    "PREPROCESSING_HOOKS": ["rest.schema.canonical_paths"],
    "POSTPROCESSING_HOOKS": ["rest.schema.add_problem", "rest.schema.declare_64_bits"],
    "COMPONENT_SPLIT_REQUEST": True,
}

# Logging
LOG_FORMAT = env.choice(
    "LOG_FORMAT", default="console" if RUNSERVER else "json", choices=["json", "console"]
)
LOG_LEVEL = env.choice(
    "LOG_LEVEL", default="info", choices=["debug", "info", "warning", "error", "critical"]
)
LOGGING = logs.configuration(LOG_FORMAT, LOG_LEVEL)
ACCESS_LOG_PROCESSORS = logs.rendering(LOG_FORMAT)

SECRETS = env.secrets_read()  # which debug pages must not show

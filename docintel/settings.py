"""All settings, from the environment only; each default works on one machine.

`DATABASE_URL` unset means the embedded Postgres under `DOCINTEL_VAR` (default `var/`), which
`docintel.postgres.ensure()` starts; importing this file starts nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from docintel import postgres
from docintel.roles import Role

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("DOCINTEL_VAR", default=str(BASE_DIR / "var"))).expanduser().resolve()
ROLE = Role(env.str("DOCINTEL_ROLE", default=Role.MANAGE))

# `local` is one person on one machine; `production` refuses what is only fit for that.
ENVIRONMENT = env.str("DOCINTEL_ENV", default="local")
DEBUG = env.bool("DEBUG", default=False)


def local_secret(name: str) -> str:
    """A random secret kept in `var/`, made on first use; readable by its owner only."""
    path = VAR_DIR / "secrets" / name
    temporary = path.with_name(f"{name}.{os.getpid()}")
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary.touch(mode=0o600)
            temporary.write_text(hashlib.sha256(os.urandom(64)).hexdigest())
            # Whole or not at all, and the first of several processes wins.
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
            temporary.unlink()
        return path.read_text().strip()
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise ImproperlyConfigured(
            f"cannot read or write {path} ({error.strerror}); "
            "point DOCINTEL_VAR at a writable folder"
        ) from error


def one_of(name: str, known: tuple[str, ...]) -> str:
    """The variable's value, which must be one of those; the first one where it is not set."""
    value = env.str(name, default=known[0])
    if value not in known:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be {' or '.join(known)}")
    return value


if ENVIRONMENT == "production":
    if DEBUG:
        raise ImproperlyConfigured("DEBUG is on; production refuses to start with it")
    SECRET_KEY = env.str("SECRET_KEY", default="")
    if len(SECRET_KEY) < 40:
        raise ImproperlyConfigured(
            "production needs SECRET_KEY, 40 random characters or more "
            '(python -c "import secrets; print(secrets.token_urlsafe(50))")'
        )
else:
    SECRET_KEY = env.str("SECRET_KEY", default="") or local_secret("secret_key")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "django_q",
    "axes",
    "csp",
    "docintel",
    "ingestion",
    "extraction",
    "qa",
    "feed",
    "review",
    "training",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "docintel.urls_inference" if ROLE == Role.INFERENCE else "docintel.urls"
if ROLE == Role.INFERENCE:
    # Internal and token-protected: no sessions, no accounts, no pages.
    MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASE_URL = env.str("DATABASE_URL", default="") or postgres.url(VAR_DIR)
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# How many pages and calls one process works on at a time; the others wait, at most so long.
PAGES_AT_ONCE = env.int("PAGES_AT_ONCE", default=12)
TURN_SECONDS = env.float("TURN_SECONDS", default=60.0)
# How many questions one process answers at a time; the others wait and are told so.
ASK_THREADS = env.int("ASK_THREADS", default=16)
# Questions of one person in a minute, of the page and the API together.
ASK_RATE = env.int("ASK_RATE", default=30)
# Answers older than this are not repeated, whatever agrees.
ASK_CACHE_DAYS = env.int("ASK_CACHE_DAYS", default=7)
# Of the analysts, who see ranked passages first instead of a composed answer; 0 to 1.
ASK_EXPERIMENT_SHARE = env.float("ASK_EXPERIMENT_SHARE", default=0.1)
ASK_HEARTBEAT_SECONDS = env.float("ASK_HEARTBEAT_SECONDS", default=10.0)
# Compiled queries are prepared when first asked, and planned once: by what is usual, not by values.
_options = DATABASES["default"].setdefault("OPTIONS", {})
_options["prepare_threshold"] = 0
_session = ["-c plan_cache_mode=force_generic_plan"]
if ROLE is Role.WEB:
    # Nobody waits longer for a page; a worker's rebuild of an index may take its time.
    _session.append(f"-c statement_timeout={env.int('WEB_STATEMENT_SECONDS', default=20)}s")
_options.setdefault("options", " ".join(_session))
if ROLE in (Role.WEB, Role.INFERENCE):
    _options["pool"] = {"min_size": 1, "max_size": PAGES_AT_ONCE + ASK_THREADS, "timeout": 10}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Accounts: sign-up is off, because no page for it exists.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "docintel.permissions_at_once.PermissionsAtOnce",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT", default=8)
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

# Security headers. Behind TLS set SECURE_COOKIES=true.
SECURE_COOKIES = env.bool("SECURE_COOKIES", default=ENVIRONMENT == "production")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ("/admin/",),
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    },
}

# Mail: "consolemail://" prints it, "smtp+tls://user:password@host:587" sends it.
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="docintel@localhost")
# Where people reach the pages, for links in mails.
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000")

LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(VAR_DIR / "files")))
MODELS_DIR = Path(env.str("MODELS_DIR", default=str(VAR_DIR / "models")))
# Uploaded bytes go to disk, so that a large batch never fills the memory of `web`.
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1_048_576
DATA_UPLOAD_MAX_NUMBER_FILES = 200
MAX_FILE_BYTES = env.int("MAX_FILE_BYTES", default=128 * 1_048_576)
MAX_TEXT_CHARACTERS = env.int("MAX_TEXT_CHARACTERS", default=20_000_000)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "docintel.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "docintel.api_errors.answer",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": env.str("API_RATE", default="600/min")},
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "docintel",
    "DESCRIPTION": "Push documents, follow their way through the pipeline, search them.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
    }
}

# The queue holds no truth: tables say what is pending, so a failed task is acknowledged and
# the next tick finds its row again. `retry` must exceed `timeout`, or a long task runs twice.
Q_CLUSTER = {
    "name": "docintel",
    "orm": "default",
    "broker_class": "docintel.scheduling.QueueOnce",
    "workers": env.int("WORKERS", default=2),
    "timeout": 1800,
    "retry": 2400,
    "ack_failures": True,
    "max_attempts": 1,
    "save_limit": 500,
    "recycle": 200,
    "poll": 0.5,
    "catch_up": False,
    "label": "Queue",
}
if ROLE is Role.TRAINER:
    # One training at a time, and it may take a day; a killed one is found by its row.
    Q_CLUSTER |= {"cluster_name": "training", "workers": 1, "timeout": 86_400, "retry": 90_000}

# Models and endpoints
EMBEDDING_MODEL = env.str("EMBEDDING_MODEL", default="all-mpnet-base-v2")
# The bundled cross-encoder, a folder with another one, or "off".
RERANKER_MODEL = env.str("RERANKER_MODEL", default="docintel-reranker")
INFERENCE_URL = env.str("INFERENCE_URL", default="")
INFERENCE_TOKEN = env.str("INFERENCE_TOKEN", default="")
INFERENCE_DEVICE = env.str("INFERENCE_DEVICE", default="auto")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="")
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
LLM_SMALL = env.str("LLM_SMALL", default="gpt-4o-mini")
LLM_LARGE = env.str("LLM_LARGE", default="gpt-4o")
# What each is good for: "writes" answers, or "chooses" which of the documents' own sentences comes
# first, which a model of one or two billion parameters can do and writing it cannot.
LLM_SMALL_ROLE = one_of("LLM_SMALL_ROLE", ("writes", "chooses"))
LLM_LARGE_ROLE = one_of("LLM_LARGE_ROLE", ("writes", "chooses"))
# US dollars per million tokens, in and out.
LLM_SMALL_PRICES = tuple(env.list("LLM_SMALL_PRICES", default=["0.15", "0.60"]))
LLM_LARGE_PRICES = tuple(env.list("LLM_LARGE_PRICES", default=["2.50", "10.00"]))
LLM_DOLLARS_PER_QUESTION = env.str("LLM_DOLLARS_PER_QUESTION", default="0.05")
LLM_DOLLARS_PER_DAY = env.str("LLM_DOLLARS_PER_DAY", default="20")
LLM_SECONDS = env.float("LLM_SECONDS", default=20.0)
# Between two pieces of a stream, and before the first.
LLM_SILENCE_SECONDS = env.float("LLM_SILENCE_SECONDS", default=8.0)
LLM_ANSWER_TOKENS = env.int("LLM_ANSWER_TOKENS", default=1_200)
# none, json_schema or json_object: what the server can be held to.
LLM_RESPONSE_FORMAT = env.str("LLM_RESPONSE_FORMAT", default="none")

# US dollars that an hour of one worker costs, for what a bulk extraction says it cost.
EXTRACTION_DOLLARS_PER_HOUR = env.str("EXTRACTION_DOLLARS_PER_HOUR", default="0.20")

# What is fetched from outside. A host (`name` or `name:port`) listed here may be fetched wherever
# it is, inside this network too; every other must have public addresses only.
ALLOWED_FETCH_HOSTS = env.list("ALLOWED_FETCH_HOSTS", default=[])
FETCH_USER_AGENT = env.str("FETCH_USER_AGENT", default="docintel/0.1")
FETCH_SECONDS = env.int("FETCH_SECONDS", default=30)
# Of one worker: the others parse and index meanwhile, however many there are.
FETCH_THREADS = env.int("FETCH_THREADS", default=4)
# The SEC answers only who says who they are: "Example Research jane@example.com".
EDGAR_USER_AGENT = env.str("EDGAR_USER_AGENT", default="")
EDGAR_DATA_URL = env.str("EDGAR_DATA_URL", default="https://data.sec.gov")
EDGAR_ARCHIVES_URL = env.str("EDGAR_ARCHIVES_URL", default="https://www.sec.gov/Archives")

# Limits of the child process that parses one file.
PARSE_SECONDS = env.int("PARSE_SECONDS", default=300)
PARSE_MEMORY_MB = env.int("PARSE_MEMORY_MB", default=3072)
# Scanned pages read by the program `tesseract`, where it is installed; its languages, as "eng+deu".
OCR = env.bool("OCR", default=False)
OCR_LANGUAGE = env.str("OCR_LANGUAGE", default="eng")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "axes": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "pgserver": {"level": "ERROR"},
    },
}

UNFOLD = {
    "SITE_TITLE": "docintel",
    "SITE_HEADER": "docintel",
    "SITE_URL": "/",
    "SITE_ICON": lambda _: static("favicon.svg"),
    # The accent of the pages (static/css/tokens.css) in the steps that the admin's theme asks for.
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .01 197)", "100": "oklch(94.5% .02 197)",
            "200": "oklch(89% .04 197)", "300": "oklch(81% .06 197)",
            "400": "oklch(72% .07 197)", "500": "oklch(66% .08 197)",
            "600": "oklch(46% .07 197)", "700": "oklch(41% .065 197)",
            "800": "oklch(36% .055 197)", "900": "oklch(31% .045 197)",
            "950": "oklch(24% .035 197)",
        },
    },
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("favicon.svg")}
    ],
}  # fmt: skip

TESTING = "pytest" in sys.modules
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

"""Settings of the platform; everything that differs between places comes from the environment."""

import os
import re
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from households import keys

BASE_DIR = Path(__file__).resolve().parent.parent


def program(called: list[str]) -> str:
    """What runs, as the history of records names it: "manage.py demo", "celery worker"."""
    path = Path(called[0])
    name = path.parent.name if path.name == "__main__.py" else path.name
    words = [word for word in called[1:4] if word.isascii() and word.isalpha()]
    return " ".join([name, *words[:1]])[:60]


def env(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def env_bool(name: str, default: bool = False) -> bool:
    return env(name, str(default)).lower() in ("1", "true", "yes", "on")


def env_int(name: str, default: int) -> int:
    try:
        return int(env(name) or default)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {env(name)!r}.") from None


def env_float(name: str, default: float) -> float:
    try:
        return float(env(name) or default)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {env(name)!r}.") from None


def env_list(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in env(name, default).split(",") if item.strip()]


def env_box(name: str, default: str) -> tuple[float, float, float, float]:
    """South, west, north, east in degrees."""
    try:
        south, west, north, east = (float(edge) for edge in env(name, default).split(","))
    except ValueError:
        south = north = 0.0
    if not south < north or not west < east:
        raise ImproperlyConfigured(f"{name} must be south,west,north,east in degrees.")
    return south, west, north, east


def env_database(url: str) -> dict[str, object]:
    """A Django database of `postgresql://user:password@host:port/name?host=/socket/dir`."""
    parts = urlsplit(url)
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.get("host") or parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, "application_name": program(sys.argv)},
        "TEST": {"NAME": env("TEST_DB_NAME") or None},  # parallel test runs do not meet
    }


DEBUG = env_bool("DEBUG")
DEMO = env_bool("DEMO")  # the demonstration of ./run: fictitious people, this machine only
DEMO_PAST_HOURS = env_int("DEMO_PAST_HOURS", 14 * 24)  # of which its units have told
SECRET_KEY = env("SECRET_KEY")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
HTTPS = env_bool("HTTPS", not (DEBUG or DEMO))

DEFAULT_SECRETS = ("", "only-for-development", "change-me")
if SECRET_KEY in DEFAULT_SECRETS:
    if not (DEBUG or DEMO):
        raise ImproperlyConfigured("SECRET_KEY is not set: give it a long random value.")
    SECRET_KEY = "only-for-development"
PERSONAL_KEYS = env("PERSONAL_KEYS")  # "1:BASE64,2:BASE64", see households.keys
if PERSONAL_KEYS in ("", keys.DEVELOPMENT):
    if not (DEBUG or DEMO):
        raise ImproperlyConfigured("PERSONAL_KEYS is not set: phone numbers are sealed with it.")
    PERSONAL_KEYS = keys.DEVELOPMENT
try:
    keys.read(PERSONAL_KEYS)
except keys.KeysRefused as reason:
    raise ImproperlyConfigured(f"PERSONAL_KEYS: {reason}.") from None
if DEBUG and not set(ALLOWED_HOSTS) <= {"localhost", "127.0.0.1", "[::1]"}:
    raise ImproperlyConfigured("DEBUG shows secrets: it is for ALLOWED_HOSTS=localhost only.")

INSTALLED_APPS = [
    "households",
    "devices",
    "telemetry",
    "plans",
    "heating_platform",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "axes",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "households.plain_text.PlainTextMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "households.audit.history.HistoryMiddleware",
    "households.language.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "households.accounts.sessions.SignInMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "heating_platform.urls"
WSGI_APPLICATION = "heating_platform.wsgi.application"
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
                "csp.context_processors.nonce",
            ],
        },
    }
]
DATABASES = {"default": env_database(env("DATABASE_URL", "postgresql:///heating"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "households.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "households.accounts.second_factor.CodeBackend",
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "sign_in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "households.accounts.passwords.StrengthValidator"},
]
# Five wrong passwords or codes of one account from one address lock it there for 15 minutes.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # or a stranger keeps an account locked
AXES_CLIENT_IP_CALLABLE = "households.requests.address"
AXES_SENSITIVE_PARAMETERS = ["code"]
TRUSTED_PROXIES = env_int("TRUSTED_PROXIES", 0)  # how many stand before the platform
AXES_LOCKOUT_TEMPLATE = "households/locked_out.html"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

# Only what this host serves is loaded; no script or style stands in a page without its nonce.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SESSION_HOURS = env_int("SESSION_HOURS", 12)  # no session is older
SESSION_IDLE_MINUTES = {
    "desk": env_int("SESSION_IDLE_MINUTES", 30),
    **dict.fromkeys(("clerk", "installer"), env_int("SESSION_IDLE_MINUTES_FIELD", 8 * 60)),
}
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

VAR_DIR = Path(env("VAR_DIR", str(BASE_DIR / "var")))
RUN_DIR = Path(env("RUN_DIR", str(VAR_DIR)))  # sockets and links of running processes
NODE_MODULES = BASE_DIR / "node_modules"
# The font of papers and of what is written into photos: has the district's rare characters.
FONTS = NODE_MODULES / "@expo-google-fonts" / "noto-serif-sc"
STATIC_URL = "static/"
STATIC_ROOT = Path(env("STATIC_ROOT", str(VAR_DIR / "static")))
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "heating_platform.vendor.VendorFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = VAR_DIR / "uploads"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "households.door.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["households.door.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["households.door.TokenThrottle"],
    "DEFAULT_THROTTLE_RATES": {"api": "1200/min"},
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "households.door.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "PAGE_SIZE": 100,
    "URL_FORMAT_OVERRIDE": "output",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "清洁取暖管理平台",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "AlarmKindEnum": "telemetry.models.AlarmKind",
        "GatewayKindEnum": "devices.models.Gateway.Kind",
    },
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# Messages only wake or ask for work; rows are the truth. See the design's ways 1 and 2: a worker
# goes on whatever becomes of the broker, and a task that a killed worker held is given out again.
CELERY_BROKER_URL = env("BROKER_URL", "redis://localhost:6379/0")
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 2 * 3600,  # longer than the longest task
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    # A page that sends a wake-up waits for an absent broker no longer than this.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.2}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 3600
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # LOGGING holds for workers too
CELERY_TIMEZONE = TIME_ZONE
_EVERY_S = {
    "telemetry.expire_commands": 15.0,
    "telemetry.review_alarms": 60.0,
    "telemetry.review_intervals": 60.0,
    "telemetry.sum_up_hours": 300.0,
    "telemetry.keep_partitions": 3600.0,
    "households.seal_history": 600.0,
    "households.sweep_files": 600.0,
    "households.forget_sessions": 86_400.0,
    "households.forget_messages": 86_400.0,
    "households.work_on_workbooks": 10.0,  # a message has asked already, where the broker was there
    "devices.sign_confirmations": 30.0,  # as above
    "devices.announce_endings": 3600.0,
    "devices.count_installations": 3600.0,
    "devices.supersede_confirmations": 60.0,
}
CELERY_BEAT_SCHEDULE = {
    task.partition(".")[2]: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
    for task, seconds in _EVERY_S.items()
}

DEFAULT_EXCEPTION_REPORTER_FILTER = "households.log_masking.NoPersonalData"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "class": "households.log_masking.MaskingFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", "INFO")},
    "loggers": {"celery": {"level": "WARNING"}},  # not a line for every task
}

# Positions outside of the district are refused: south, west, north, east in degrees of WGS-84.
# By default 晋城市城区 with some room around it.
DISTRICT_BOX = env_box("DISTRICT_BOX", "35.40,112.70,35.60,113.10")

# The line worker (telemetry.line_worker)
LINE_LISTENERS = env("LINE_LISTENERS")
POLL_INTERVAL_S = {
    transport: env_int("POLL_INTERVAL_S", default)
    for transport, default in {"dial": 300, "serial": 60, "tcp": 60, "mbap": 60}.items()
}
RAW_READINGS_DAYS = 60

# Commands to many units at once: off, and for the platform service unit alone where on.
GROUP_COMMANDS = env_bool("GROUP_COMMANDS")

# Whom a resident calls; stands on every card and on what its QR opens.
SERVICE_PHONE = env("SERVICE_PHONE")

# A village's list hangs at least so many days before the town reviews it.
NOTICE_DAYS = env_int("NOTICE_DAYS", 7)

# The outdoor temperature in °C for which heating is designed here (GB 50736, annex A, 阳城).
# What a device model states for a warmer one is pointed out.
DESIGN_OUTDOOR_TEMP = env_float("DESIGN_OUTDOOR_TEMP", -6.6)

# Docking: whether this platform is the appointed one. If not, what it issues is a test report, and
# the gates ask for the city's confirmation.
APPOINTED_PLATFORM = env_bool("APPOINTED_PLATFORM", True)
# Who issues confirmations, as their head and foot have it; without it none is issued.
SERVICE_UNIT = env("SERVICE_UNIT") or ("平台服务单位（示例）" if DEBUG or DEMO else "")
# Their 文号 of year and serial, and for how long they hold unless the signer says otherwise.
CONFIRMATION_NUMBER = env("CONFIRMATION_NUMBER", "数据对接〔{year}〕{serial}号")
CONFIRMATION_MONTHS = env_int("CONFIRMATION_MONTHS", 24)
# Where everybody finds this platform: papers carry it where no request tells it.
PUBLIC_URL = env("PUBLIC_URL", "http://127.0.0.1:8000" if DEBUG or DEMO else "")
if PUBLIC_URL and not re.fullmatch(r"https?://[^/?#\s]+/?", PUBLIC_URL):
    raise ImproperlyConfigured(f"PUBLIC_URL is {PUBLIC_URL!r}, not of the form https://name.")
# Who signs papers: a class of ours that reads a key file, or one for a licensed electronic seal.
# The key (PKCS#12 or PEM) is told to the worker alone, never to a web process.
SIGNER = env("SIGNER", "devices.docking.signing.KeyFile")
SIGNING_KEY = env("SIGNING_KEY")
SIGNING_PASSWORD = env("SIGNING_PASSWORD")

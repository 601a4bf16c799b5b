"""Settings, all from the environment; `.env.example` documents each.

A `.env` file beside manage.py is read too; the environment wins over it.
"""

from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from mediaproc.database import database
from mediaproc.environment import Environment
from mediaproc.logging import logging_config
from mediaproc.mail import MailServer, read_address

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
env.read_env(BASE_DIR / ".env")

DEBUG: bool = env.bool("DEBUG", default=False)
SECRET_KEY: str = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Set it, or SECRET_KEY_FILE, in the environment or in .env"
            " (python -c 'import secrets; print(secrets.token_urlsafe(50))' makes one),"
            " or set DEBUG=True on a development machine."
        )
    SECRET_KEY = "insecure-development-key-insecure-development-key"  # noqa: S105 - DEBUG only
# Keys of before: what they signed stays valid.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else []
)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "csp",
    "knox",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "accounts",
    "jobs",
    "webhooks",
]
MIDDLEWARE = [
    "jobs.api.request_id.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "jobs.api.middleware.PagePolicyMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "jobs.api.compression.CompressionMiddleware",
    "jobs.api.middleware.ApiPathMiddleware",
    "jobs.api.unchanged.UnchangedMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "accounts.backends.PasswordAndCode",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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
ROOT_URLCONF = "mediaproc.urls"
WSGI_APPLICATION = "mediaproc.wsgi.application"

PGBOUNCER: bool = env.bool("PGBOUNCER", default=False)

# The database.

DATABASES = {"default": database(env, pooled=PGBOUNCER)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The queue.

POOLS: str = env.str("POOLS", default="high=7-10:4,low=0-6:2")
PROCESSORS: list[str] = env.list(
    "PROCESSORS",
    default=[
        "jobs.processors.simulate.simulate",
        "jobs.processors.transcode.transcode",
        "jobs.processors.send_email.send_email",
    ],
)
# Beside those: what the API itself leaves for later.
PROCESSORS += [
    "jobs.api.batch_import.batch_import",
    "webhooks.processor.webhook",
    "accounts.notices.account_notice",
]
JOB_LEASE_SECONDS: float = env.float("JOB_LEASE_SECONDS", default=30.0)
JOB_RETRY_DELAY_SECONDS: float = env.float("JOB_RETRY_DELAY_SECONDS", default=5.0)
JOB_RETRY_SCAN_SECONDS: float = env.float("JOB_RETRY_SCAN_SECONDS", default=1.0)
JOB_PENDING_TIMEOUT_SECONDS: float = env.float("JOB_PENDING_TIMEOUT_SECONDS", default=0.0)
JOBS_PER_MIN_LIMIT: int = env.int("JOBS_PER_MIN_LIMIT", default=0)
CONCURRENT_JOBS_LIMIT: int = env.int("CONCURRENT_JOBS_LIMIT", default=0)
JOB_MAX_LOST_LEASES: int = env.int("JOB_MAX_LOST_LEASES", default=3)
JOB_SOFT_LIMIT_SECONDS: float = env.float("JOB_SOFT_LIMIT_SECONDS", default=1500.0)
JOB_HARD_LIMIT_SECONDS: float = env.float("JOB_HARD_LIMIT_SECONDS", default=1800.0)
JOB_AGEING_SECONDS: float = env.float("JOB_AGEING_SECONDS", default=0.0)
JOB_RETENTION: str = env.str("JOB_RETENTION", default="completed=30d,failed=90d,cancelled=30d")
STATS_RETENTION_DAYS: int = env.int("STATS_RETENTION_DAYS", default=90)
WORKER_POLL_SECONDS: float = env.float("WORKER_POLL_SECONDS", default=1.0)
WORKER_LARGEST_CHUNK: int = env.int("WORKER_LARGEST_CHUNK", default=500)
WORKER_GRACE_SECONDS: float = env.float("WORKER_GRACE_SECONDS", default=25.0)

# Wake-up signals cut latency; polling alone is correct.

WAKEUP_NOTIFY: bool = env.bool("WAKEUP_NOTIFY", default=True)
LISTEN_DATABASE_URL: str = env.str("LISTEN_DATABASE_URL", default="")
REDIS_URL: str = env.str("REDIS_URL", default="")

# Media.

MEDIA_ROOT: Path = BASE_DIR / env.str("MEDIA_ROOT", default="media")
FFMPEG: str = env.str("FFMPEG", default="")
MEDIA_SANDBOX: str = env.str("MEDIA_SANDBOX", default="auto")
MEDIA_MAX_DURATION_SECONDS: float = env.float("MEDIA_MAX_DURATION_SECONDS", default=14_400.0)
MEDIA_MAX_PIXELS: int = env.int("MEDIA_MAX_PIXELS", default=40_000_000)
MEDIA_MAX_FPS: float = env.float("MEDIA_MAX_FPS", default=120.0)
MEDIA_MAX_STREAMS: int = env.int("MEDIA_MAX_STREAMS", default=32)
MEDIA_MAX_OUTPUT_MB: int = env.int("MEDIA_MAX_OUTPUT_MB", default=8192)
MEDIA_MEMORY_MB: int = env.int("MEDIA_MEMORY_MB", default=4096)
MEDIA_STALL_SECONDS: float = env.float("MEDIA_STALL_SECONDS", default=120.0)
SCANNER: str = env.str("SCANNER", default="")
SCANNER_TIMEOUT: float = env.float("SCANNER_TIMEOUT", default=300.0)
SIMULATE_MISSING_SOURCES: bool = env.bool("SIMULATE_MISSING_SOURCES", default=DEBUG)
SIMULATE_SECONDS_HIGH: str = env.str("SIMULATE_SECONDS_HIGH", default="3-5")
SIMULATE_SECONDS_LOW: str = env.str("SIMULATE_SECONDS_LOW", default="5-10")

MEDIA_ACCEL_PREFIX: str = env.str("MEDIA_ACCEL_PREFIX", default="")
OUTPUT_LINK_SECONDS: int = env.int("OUTPUT_LINK_SECONDS", default=3600)

# Remote workers.

LEASE_WAITERS: int = env.int("LEASE_WAITERS", default=4)
REMOTE_WORKER_TOKEN: str = env.str("REMOTE_WORKER_TOKEN", default="")

# Webhooks.

OUTBOX_READER = "webhooks.fan_out.fan_out"
# Also of a network of one's own, also by http and at any port.
WEBHOOK_ALLOW_PRIVATE: bool = env.bool("WEBHOOK_ALLOW_PRIVATE", default=DEBUG)
WEBHOOK_PRIORITY: int = env.int("WEBHOOK_PRIORITY", default=7)
WEBHOOK_CONCURRENT_LIMIT: int = env.int("WEBHOOK_CONCURRENT_LIMIT", default=2)

# Mail: EMAIL_URL, or EMAIL_HOST and its kin. With neither, jobs of type send_email are refused.


def _mail_server() -> MailServer:
    if address := env.str("EMAIL_URL", default=""):
        return read_address(address)
    return MailServer(
        host=env.str("EMAIL_HOST", default=""),
        port=env.int("EMAIL_PORT", default=25),
        user=env.str("EMAIL_HOST_USER", default=""),
        password=env.str("EMAIL_HOST_PASSWORD", default=""),
        use_tls=env.bool("EMAIL_USE_TLS", default=False),
        use_ssl=env.bool("EMAIL_USE_SSL", default=False),
    )


(
    EMAIL_HOST,
    EMAIL_PORT,
    EMAIL_HOST_USER,
    EMAIL_HOST_PASSWORD,
    EMAIL_USE_TLS,
    EMAIL_USE_SSL,
) = _mail_server()
EMAIL_BACKEND = "mediaproc.smtp.EmailBackend"
EMAIL_TIMEOUT: float = env.float("EMAIL_TIMEOUT", default=10.0)
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default="mediaproc@localhost")

# Accounts.

ALLOW_ANONYMOUS: bool = env.bool("ALLOW_ANONYMOUS", default=DEBUG)
ALLOW_REGISTRATION: bool = env.bool("ALLOW_REGISTRATION", default=False)
# Whose X-Forwarded-For is believed.
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", default=[])
LOGIN_FAILURES: int = env.int("LOGIN_FAILURES", default=5)
LOGIN_LOCK_SECONDS: float = env.float("LOGIN_LOCK_SECONDS", default=900.0)
LOGINS_PER_MIN_LIMIT: int = env.int("LOGINS_PER_MIN_LIMIT", default=30)
# A code in a mail.
PASSWORD_RESET_TIMEOUT = 3600
# Who has to have a second factor: nobody, staff, everybody.
SECOND_FACTOR: str = env.str("SECOND_FACTOR", default="nobody" if DEBUG else "everybody")
OTP_TOTP_ISSUER = "mediaproc"
PASSWORD_WORDS: list[str] = env.list(
    "PASSWORD_WORDS", default=["mediaproc", "transcode", "webhook"]
)
SESSION_ENGINE = "accounts.sessions"
SESSION_IDLE_MINUTES: int = env.int("SESSION_IDLE_MINUTES", default=60)
SESSION_MOST_HOURS: int = env.int("SESSION_MOST_HOURS", default=12)
RECENT_LOGIN_MINUTES: int = env.int("RECENT_LOGIN_MINUTES", default=10)
SESSION_COOKIE_AGE = SESSION_IDLE_MINUTES * 60
TOKEN_DAYS: int = env.int("TOKEN_DAYS", default=14)
TOKEN_MOST_DAYS: int = env.int("TOKEN_MOST_DAYS", default=90)
KNOX_TOKEN_MODEL = "accounts.Token"  # noqa: S105 - a name
# Its migrations would make the table of its own tokens, which nobody has.
MIGRATION_MODULES = {"knox": None}
REST_KNOX = {
    "TOKEN_MODEL": KNOX_TOKEN_MODEL,
    "SECURE_HASH_ALGORITHM": "hashlib.sha512",
    "TOKEN_PREFIX": "mp_",
    "TOKEN_TTL": timedelta(days=TOKEN_DAYS),
    # A login's token lives on with each use, but not for ever.
    "AUTO_REFRESH": True,
    "AUTO_REFRESH_MAX_TTL": timedelta(days=TOKEN_MOST_DAYS),
    "MIN_REFRESH_INTERVAL": 60,
}

# By name and address: by name alone anybody could lock anybody out.
AXES_FAILURE_LIMIT = LOGIN_FAILURES
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = timedelta(seconds=LOGIN_LOCK_SECONDS)
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "accounts.client_address.client_address"
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["otp"]

# HTTP.

REST_FRAMEWORK = {
    # The first one decides between 401 and 403; a bad token beside a good cookie is refused.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.Allowed"],
    "DEFAULT_THROTTLE_CLASSES": ["jobs.api.throttles.RequestThrottle"],
    "DEFAULT_SCHEMA_CLASS": "jobs.api.operations.Operation",
    "DEFAULT_PARSER_CLASSES": ["jobs.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "jobs.api.problems.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}
BATCH_MAX_MB: int = env.int("BATCH_MAX_MB", default=32)
SPECTACULAR_SETTINGS = {
    "TITLE": "mediaproc",
    "DESCRIPTION": "Jobs on media files, from submission to output.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "JobState": "jobs.api.fields.STATUSES",
        "MissedRuns": "jobs.models.schedule.MissedRuns.values",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "jobs.api.schema_hooks.add_errors",
        "jobs.api.schema_hooks.add_bounds",
        "jobs.api.schema_hooks.add_links",
        "jobs.api.schema_hooks.add_examples",
    ],
}
# Requests a minute from one address without an account; accounts/plans.py says it for accounts.
REQUESTS_PER_MIN_LIMIT: int = env.int("REQUESTS_PER_MIN_LIMIT", default=600)
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
# No form here has a file: what a multipart body brings is not kept, whoever sends it.
FILE_UPLOAD_HANDLERS: list[str] = []
STATIC_URL = "static/"
# The few static files are served from their packages: nothing is to be collected.
WHITENOISE_USE_FINDERS = True
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"

# Pages of other origins. None may, unless it is named.

CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [
    "accept", "authorization", "content-type", "idempotency-key", "if-none-match", "prefer",
    "x-request-id",
]  # fmt: skip
CORS_EXPOSE_HEADERS = [
    "ETag", "Link", "Location", "Preference-Applied", "RateLimit", "RateLimit-Policy",
    "Retry-After", "X-Request-ID",
]  # fmt: skip
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# Behind DEBUG=False everything is as `check --deploy` wants it; a proxy ends TLS.

SECURE_SSL_REDIRECT: bool = env.bool("SECURE_SSL_REDIRECT", default=not DEBUG)
SECURE_REDIRECT_EXEMPT = [r"^api/"]
SECURE_HSTS_SECONDS: int = env.int("SECURE_HSTS_SECONDS", default=0 if DEBUG else 31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEBUG
SECURE_HSTS_PRELOAD = not DEBUG
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
)
SESSION_COOKIE_SECURE = not DEBUG
CSRF_COOKIE_SECURE = not DEBUG
# Pages get the value for their forms from the API, so scripts need not read the cookie.
CSRF_COOKIE_HTTPONLY = True
if not DEBUG:
    # Browsers take cookies of these names over https and of this host alone.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
X_FRAME_OPTIONS = "DENY"

_VALIDATORS = "django.contrib.auth.password_validation"
SHORTEST_PASSWORD = 12
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATORS}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATORS}.MinimumLengthValidator", "OPTIONS": {"min_length": SHORTEST_PASSWORD}},
    {"NAME": "accounts.passwords.NotEasilyGuessed"},
    {"NAME": "accounts.passwords.RevokesTokens"},
]

# What was read of files and is read again by each new connection, and what was not.
SECRET_FILES: dict[str, str] = env.files
SECRETS_IN_ENVIRONMENT: list[str] = env.inline

LOG_FORMAT: str = env.str("LOG_FORMAT", default="console" if DEBUG else "json")
LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO")
LOGGING = logging_config(LOG_FORMAT, LOG_LEVEL)

"""Read from the environment, safe by default. Every setting an installation may change is in environment.py."""

from pathlib import Path
from urllib.parse import urlsplit

import psycopg.conninfo
from csp.constants import NONE, SELF

from breachdesk.environment import load_environment

BREACHDESK = load_environment()
BASE_DIR = Path(__file__).resolve().parent.parent
BASE_HOST = urlsplit(BREACHDESK.base_url).hostname or ""
IS_SECURE = BREACHDESK.base_url.startswith("https://")

SECRET_KEY = BREACHDESK.secret_key
SECRET_KEY_FALLBACKS = [key for key in map(str.strip, BREACHDESK.secret_keys_before.split(",")) if key]
DEBUG = False
PUBLIC_HOST = urlsplit(BREACHDESK.public_url).hostname or ""
ALLOWED_HOSTS = [BASE_HOST, *filter(None, [PUBLIC_HOST, *BREACHDESK.hosts.split(",")])]
CSRF_TRUSTED_ORIGINS = [BREACHDESK.base_url]
ROOT_URLCONF = "breachdesk.urls"
WSGI_APPLICATION = "breachdesk.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    *(["anymail"] if BREACHDESK.anymail else []),
    "csp",
    "breachdesk.vault",
    "breachdesk.audit",
    "breachdesk.accounts",
    "breachdesk.incidents",
    "breachdesk.people",
    "notifications",
    "regulators",
    "breachdesk.desk",
    "breachdesk.embedded",
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
    "breachdesk.desk.zone.ZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "breachdesk.audit.context.AuditContextMiddleware",
    "breachdesk.web.RefusalMiddleware",
]

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
                "breachdesk.desk.context.masthead",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# Database: one connection per thread, reused; the session's time zone is UTC.
_database = psycopg.conninfo.conninfo_to_dict(BREACHDESK.database_url)
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.pop("dbname"),
        "USER": _database.pop("user", ""),
        "PASSWORD": _database.pop("password", ""),
        "HOST": _database.pop("host", ""),
        "PORT": str(_database.pop("port", "")),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **_database},
    }
}

# Celery: early acknowledgement, no results, no retries; a dead broker must not stall a request.
CELERY_BROKER_URL = BREACHDESK.redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A broker that stands still holds nobody up for longer than this, whoever presses a button or sweeps.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 5, "max_retries": 0}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = 2
# A drain stays while one connection waits for a slow host, then for the last answer that the others wait for.
CELERY_TASK_TIME_LIMIT = 45 + 2 * BREACHDESK.smtp_timeout + 30
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# Sign-in: e-mail and password by django-allauth; nobody signs up, colleagues are invited.
AUTH_USER_MODEL = "accounts.User"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # one_user_per_email holds it, whatever the letters' case
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "breachdesk.accounts.adapter.InvitedOnly"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Otherwise a stranger could make us write to any address.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = {
    "login_failed": "20/m/ip,10/5m/key",
    "reset_password": "20/m/ip,5/m/key",
    "message_code": "20/10m/ip",
}
# Sign-in limits are counted in the database: Redis may be down, and then nobody should be locked out or let in freely.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "accounts_limit_cache"}}
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_SECURE
SESSION_COOKIE_NAME = "__Host-session" if IS_SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_SECURE else "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "breachdesk.web.csrf_refused"

# Transport security. Plain http is for the demo on this machine alone.
SECURE_SSL_REDIRECT = IS_SECURE
# Asked from inside the container, over plain http.
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BREACHDESK.trusted_proxy else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"  # a preview of a message allows our own page by itself
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
FILE_UPLOAD_PERMISSIONS = 0o600
# No file is ever kept in the clear: a view that wants one brings a handler that seals it.
FILE_UPLOAD_HANDLERS = ["breachdesk.people.uploads.NoUploads"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# Words and times
LANGUAGE_CODE = "en-gb"
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# Mail to our own staff goes the same way as notices do.
IS_SMTP = BREACHDESK.transport == "smtp"
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend" if IS_SMTP else BREACHDESK.transport
EMAIL_HOST, EMAIL_PORT = BREACHDESK.smtp_host, BREACHDESK.smtp_port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = BREACHDESK.smtp_user, BREACHDESK.smtp_password
EMAIL_USE_TLS, EMAIL_USE_SSL = BREACHDESK.smtp_security == "starttls", BREACHDESK.smtp_security == "tls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = BREACHDESK.mail_from
ANYMAIL = BREACHDESK.anymail

STATIC_URL = "static/"
STATIC_ROOT = BREACHDESK.state_dir / "static"
STATICFILES_DIRS = [BASE_DIR / "breachdesk" / "static"]
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        # Exceptions without what they quote: it may be somebody's name.
        "plain": {
            "()": "breachdesk.tracebacks.Formatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": BREACHDESK.log_level},
    # Django would mail errors to ADMINS, with what was typed and the variables of every frame. Not here.
    "loggers": {"django": {"handlers": [], "level": "INFO"}, "flufl": {"level": "WARNING"}},
}

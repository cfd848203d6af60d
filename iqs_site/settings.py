"""Every setting of IQS, read from environment variables only. docs/reference/settings.md describes each variable."""

import hashlib
import hmac
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from iqs_site import env
from iqs_site.email_url import email_settings
from iqs_site.instance import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = embedded.var_folder()

# --- Security -------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", False)
SECRET_KEY = env.secret("SECRET_KEY", VAR / "secret_key")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1],testserver")
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
# True behind an HTTPS proxy: cookies are then only sent over HTTPS.
HTTPS = env.flag("HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_ENGINE = "annotation.access.sessions"
# A browser sends the cookies of one port to all ports of a host, so each instance has its own names. All machines of a
# site have the same key. A key from a file may have been copied with the folder, so the folder counts too.
_INSTANCE = hmac.new(SECRET_KEY.encode(), digestmod=hashlib.sha256)
_INSTANCE.update(b"cookie names" if os.environ.get("SECRET_KEY") else b"cookie names " + os.fsencode(VAR))
COOKIE_SUFFIX = _INSTANCE.hexdigest()[:8]
SESSION_COOKIE_NAME = f"sessionid-{COOKIE_SUFFIX}"
CSRF_COOKIE_NAME = f"csrftoken-{COOKIE_SUFFIX}"
MESSAGE_STORAGE = "iqs_site.cookies.MessageStorage"
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# HSTS for subdomains (W005) and for the lists of browsers (W021): a decision about a whole domain, not about one site.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Bokeh writes style attributes, so inline styles are allowed. Inline scripts are not.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

# --- Application ----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "iqs_site",
    "training",
    "inference",
    "annotation",
    "iqs_site.administration.apps.AdministrationConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "django_htmx",
]
MIDDLEWARE = [
    "annotation.access.current_request.CurrentRequestMiddleware",
    "iqs_site.middleware.ContentSecurityPolicyMiddleware",
    "iqs_site.request_limits.RequestLimitsMiddleware",
    "iqs_site.prepared_statements.PreparedStatementsMiddleware",
    "iqs_site.middleware.FullDiskMiddleware",
    "iqs_site.middleware.ModelsComingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "iqs_site.request_limits.LargeBodyMiddleware",
    "annotation.token_auth.TokenMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "iqs_site.middleware.PreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "iqs_site.views.errors.FormAddressMiddleware",  # last, because its page needs the user and the messages
]
ROOT_URLCONF = "iqs_site.urls"
WSGI_APPLICATION = "iqs_site.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "iqs_site.cookies.csrf_cookie",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "annotation.templatetags.icons",
                "annotation.templatetags.how_many",
                "annotation.templatetags.stored_text",
                "iqs_site.templatetags.frame",
            ],
        },
    }
]
AUTH_USER_MODEL = "annotation.User"
AUTHENTICATION_BACKENDS = ["annotation.access.user_backend.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# The first one hashes new passwords; the second one reads hashes of other programs.
PASSWORD_HASHERS = [
    "annotation.access.hashers.LimitedPBKDF2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
]
# Proxies before the site, each of which adds the address that it sees to X-Forwarded-For. 0: the header is ignored.
IQS_PROXIES = env.integer("IQS_PROXIES", 0, minimum=0, maximum=20)
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")
# English is the language of the texts in the sources. locale/ has the others.
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
# Numbers look the same in every language.
FORMAT_MODULE_PATH = ["iqs_site.formats"]

# --- Email ----------------------------------------------------------------------------------------
# Without a server, password links are only shown to the admin who makes them.
EMAIL_URL = env.text("EMAIL_URL", "")
globals().update(email_settings(EMAIL_URL))
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "iqs@localhost")
EMAIL_TIMEOUT = 10  # seconds; a person waits for it

# --- Database -------------------------------------------------------------------------------------
# If DATABASE_URL is not set, manage.py and the supervisor set it to the address of the embedded server.
DATABASE_URL = env.text("DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/iqs")
DATABASES = {"default": env.database("DATABASE_URL", DATABASE_URL)}

# --- Broker and workers ---------------------------------------------------------------------------
REDIS_URL = env.redis("REDIS_URL", embedded.broker_address())
CELERY_BROKER_URL = embedded.celery_broker(REDIS_URL)
CELERY_RESULT_BACKEND = None  # results are rows, not messages
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    # A user is waiting for this task. It has a worker of its own, so that no photo can hold up imports and training.
    "inference.tasks.scoring_job_run": {"queue": "single"},
    "inference.tasks.*": {"queue": "inference"},
    "training.tasks.drift_run": {"queue": "training"},
    "training.tasks.decisions_run": {"queue": "training"},
    "training.tasks.learning_curve_measure": {"queue": "training"},
    "training.tasks.near_duplicates_run": {"queue": "inference"},
    "training.tasks.run_execute": {"queue": "training"},
    # Seconds of work that somebody waits for: a training run must not hold it up.
    "training.tasks.version_comparison_run": {"queue": "inference"},
    "training.tasks.version_export_run": {"queue": "inference"},
    "training.tasks.versions_evaluate": {"queue": "training"},
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Nobody tries again to send to a broker that is down: the sweep finds the work later. `iqs_site.broker_gate` keeps
# requests from waiting.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 2,
    "socket_timeout": 2,  # of senders; `iqs_site.celery` sets a longer one for workers
    "max_retries": 0,  # for senders only; otherwise each would retry for six seconds before it raises
}
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
# Seconds between two sweeps, which find work whose message was lost.
IQS_SWEEP_SECONDS = env.integer("IQS_SWEEP_SECONDS", 15, minimum=1, maximum=86_400)
CELERY_BEAT_SCHEDULE = {
    f"{app} sweep": {
        "task": f"{app}.tasks.sweep",
        "schedule": timedelta(seconds=IQS_SWEEP_SECONDS),
        # A sweep that waits for a worker expires when the next one is sent, so that sweeps do not pile up.
        "options": {"expires": IQS_SWEEP_SECONDS},
    }
    for app in ("annotation", "inference", "training")
}

# --- Files ----------------------------------------------------------------------------------------
MEDIA_ROOT = env.folder("IQS_MEDIA", VAR / "media")  # photos, named by the SHA-256 of their bytes
MODELS_ROOT = env.folder("IQS_MODELS", VAR / "models")  # heads of model versions, exported backbones
UPLOADS_ROOT = VAR / "uploads"  # uploads that no worker has imported yet
STATIC_URL = "/static/"
# WhiteNoise warns about a missing folder. A proxy may send the files too.
STATIC_ROOT = env.folder("IQS_STATIC", VAR / "static", is_private=False)
# The background check of photo files reads at most this much; 0: no check.
IQS_CHECK_BYTES_PER_MINUTE = env.integer("IQS_CHECK_MB_PER_MINUTE", 60, minimum=0, maximum=1_000_000) * 1024 * 1024
# The files of a withdrawn photo are deleted after this many days. Until then, it can be put back.
IQS_WITHDRAWN_DAYS = env.integer("IQS_WITHDRAWN_DAYS", 7, minimum=0, maximum=3650)
FILE_UPLOAD_PERMISSIONS = None  # the umask decides, so that files are for their owner only


def _bokeh_scripts() -> Path:
    """Return the folder of Bokeh's JavaScript, without importing Bokeh, which takes a second."""
    from importlib.util import find_spec

    spec = find_spec("bokeh")
    if spec is None or spec.origin is None:
        raise ImproperlyConfigured("bokeh is not installed; run `make setup`.")
    return Path(spec.origin).parent / "server" / "static" / "js"


STATICFILES_DIRS = [BASE_DIR / "static", ("bokeh", str(_bokeh_scripts()))]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Photos and their thumbnails, below MEDIA_ROOT. Another storage backend works too.
    "photos": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
# A checkout serves the source files; `make run` and containers serve the files that collectstatic has compressed.
WHITENOISE_USE_FINDERS = not env.text("IQS_STATIC", "")

# --- Limits on uploads ----------------------------------------------------------------------------
# Memory for decoded photos in one process, checked before decoding. Enough for a JPEG of 100 megapixels.
IQS_MAX_DECODED_BYTES = env.integer("IQS_MAX_DECODED_MB", 1536, minimum=16, maximum=1_000_000) * 1024 * 1024
# Processor time to decode one photo. A photo of 100 megapixels takes a few seconds.
IQS_DECODE_SECONDS = env.integer("IQS_DECODE_SECONDS", 20, minimum=1, maximum=3600)
IQS_MAX_FILE_BYTES = env.integer("IQS_MAX_FILE_MB", 64, minimum=1, maximum=2047) * 1024 * 1024
# All photos of one request; never less than one photo may have.
IQS_MAX_SCORING_BYTES = max(
    IQS_MAX_FILE_BYTES, env.integer("IQS_MAX_SCORING_MB", 256, minimum=1, maximum=100_000) * 1024 * 1024
)
IQS_MAX_PIXELS = env.integer("IQS_MAX_MEGAPIXELS", 120, minimum=1, maximum=2000) * 1_000_000
IQS_MAX_ZIP_BYTES = env.integer("IQS_MAX_ZIP_MB", 4096, minimum=1, maximum=10_000_000) * 1024 * 1024
IQS_MAX_FILES_PER_IMPORT = env.integer("IQS_MAX_FILES_PER_IMPORT", 100_000, minimum=1, maximum=10_000_000)
# With less free space than this, admins see a notice, and new photos are refused.
IQS_LOW_DISK_BYTES = env.integer("IQS_LOW_DISK_MB", 512, minimum=16, maximum=10_000_000) * 1024 * 1024
# Without the files of a form. `iqs_site.request_limits` refuses longer bodies before they are read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 2000

# --- Limits for one user, each hour; 0: no limit ---------------------------------------------------
IQS_SCORED_PHOTOS_PER_HOUR = env.integer("IQS_SCORED_PHOTOS_PER_HOUR", 500, minimum=0, maximum=1_000_000_000)
IQS_SCORING_SECONDS_PER_HOUR = env.integer("IQS_SCORING_SECONDS_PER_HOUR", 900, minimum=0, maximum=1_000_000_000)
IQS_IMPORTS_PER_HOUR = env.integer("IQS_IMPORTS_PER_HOUR", 60, minimum=0, maximum=1_000_000_000)
IQS_TRAINING_RUNS_PER_HOUR = env.integer("IQS_TRAINING_RUNS_PER_HOUR", 30, minimum=0, maximum=1_000_000_000)
# At the same time in one worker process. The worker needs more threads than both together, for its other tasks.
IQS_IMPORTS_AT_ONCE = env.integer("IQS_IMPORTS_AT_ONCE", 2, minimum=1, maximum=256)
IQS_TRAINING_RUNS_AT_ONCE = env.integer("IQS_TRAINING_RUNS_AT_ONCE", 2, minimum=1, maximum=256)

# --- Models ---------------------------------------------------------------------------------------
IQS_BACKBONE = env.text("IQS_BACKBONE", "efficientnet_lite2@260+384")  # of new campaigns
IQS_BACKBONE_WEIGHTS = env.text("IQS_BACKBONE_WEIGHTS", "")  # a weight file, or "random"; empty: the bundled weights
IQS_PRECISION = env.choice("IQS_PRECISION", "auto", ("auto", "fp32", "int8"))
IQS_QUALITY_INPUT = env.choice("IQS_QUALITY_INPUT", "all", ("all", "pooled"))
IQS_DEVICE = env.choice("IQS_DEVICE", "auto", ("auto", "cpu", "cuda"))
# A worker's claim on a batch of photos expires after this time. A batch takes a second; huge photos half a minute.
IQS_CLAIM_SECONDS = env.integer("IQS_CLAIM_SECONDS", 60, minimum=5, maximum=86_400)
# Per worker process, to decode photos and to run the network.
IQS_THREADS = env.integer("IQS_THREADS", 2, minimum=1, maximum=256)
# A longer training run is stopped.
IQS_TRAINING_SECONDS = env.integer("IQS_TRAINING_SECONDS", 14_400, minimum=10, maximum=2_592_000)
# That train a whole network together; each uses IQS_THREADS threads.
IQS_TRAINING_PROCESSES = env.integer("IQS_TRAINING_PROCESSES", 1, minimum=1, maximum=64)
# A run that uses more memory is stopped too.
IQS_TRAINING_BYTES = env.integer("IQS_TRAINING_MB", 8192, minimum=512, maximum=100_000_000) * 1024 * 1024

# --- Logging --------------------------------------------------------------------------------------
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "httpx": {"level": "WARNING"},  # it logs every request of the simulated annotators
    },
}

# One image for the web server, the workers and beat; docker-compose.yml has their commands.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 IQS_VAR=/var/lib/iqs IQS_STATIC=/var/lib/iqs-static
RUN useradd --create-home --uid 1000 iqs && mkdir -p /var/lib/iqs /var/lib/iqs-static && chown iqs /var/lib/iqs /var/lib/iqs-static
WORKDIR /app

# A separate layer for the dependencies stays cached when only the code changes. pip takes only files whose SHA-256 is
# in the lock file. PIP_EXTRA_INDEX_URL can name an index with the CPU builds of torch, which are smaller.
ARG PIP_EXTRA_INDEX_URL
COPY requirements-web.lock requirements.lock requirements-cpu.lock requirements-cuda.lock ./
COPY dependencies/install.py dependencies/
RUN PIP_NO_CACHE_DIR=1 python dependencies/install.py requirements-web.lock requirements.lock

COPY --chown=iqs . .
USER iqs
RUN SECRET_KEY=$(python -c 'import secrets; print(secrets.token_hex(32))') DATABASE_URL=postgresql://build@localhost/build python manage.py collectstatic --noinput

EXPOSE 8000
CMD ["gunicorn", "iqs_site.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "iqs_site.server.worker.BufferingWorker", "--preload", "--workers", "2", "--threads", "8", "--no-control-socket", "--keep-alive", "30"]

# Builds with BuildKit and with the builder before it (DOCKER_BUILDKIT=0).
# `make lock-images` adds the digest of the tag. After that, an engine that cannot reach a registry
# needs --build-arg PYTHON=python:3.13-slim.
ARG PYTHON=python:3.13-slim
FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

# What no request asks for is left out: translations (USE_I18N is off), Redoc, packages' tests.
# Bytecode carries no times and is not compared with its source, which never changes in an
# image, so that two builds of one commit are the same.
COPY requirements.txt /tmp/
RUN python -m venv --without-pip /venv \
 && python -m pip --python /venv/bin/python install --no-compile --require-hashes --requirement /tmp/requirements.txt \
 && find /venv -depth -type d \( -name LC_MESSAGES -o -name redoc -o -name tests \) -exec rm -r {} + \
 && python -m compileall -q --invalidation-mode unchecked-hash /venv/lib

WORKDIR /app
COPY manage.py ./
COPY server server
COPY project project
COPY tasklists tasklists
COPY rest rest
COPY service service
# Source maps are there for collectstatic to refer to, and for developers of these packages alone.
RUN PYTHONDONTWRITEBYTECODE=1 /venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
 && find staticfiles -name '*.map*' -delete \
 && python -m compileall -q --invalidation-mode unchecked-hash server project tasklists rest service


FROM ${PYTHON}
ENV PATH=/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATABASE_URL=sqlite:////data/tasklists.sqlite3

# The official image has no bytecode of the standard library, which user 10001 could not keep:
# every start and every health check would compile it anew.
RUN python -m compileall -q --invalidation-mode unchecked-hash \
      -x '/(dist-packages|ensurepip|idlelib|site-packages|test|tkinter|turtledemo)/' \
      "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
 && install -d -o 10001 -g 0 -m 0770 /data
COPY --from=build /venv /venv
COPY --from=build /app /app

WORKDIR /app
# Group 0 may do what the user may, so that any other user id works as well.
USER 10001:0
VOLUME /data
EXPOSE 5000
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s CMD ["python", "-c", "\
import http.client, os, sys; \
connection = http.client.HTTPConnection('localhost', int(os.environ.get('PORT') or 5000)); \
connection.request('GET', '/health/ready'); \
answer = connection.getresponse(); \
print(answer.read().decode()); \
sys.exit(answer.status != 200)"]
CMD ["python", "manage.py", "serve"]

ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE
ENV REVISION=$REVISION
LABEL org.opencontainers.image.title="Tasklists" \
      org.opencontainers.image.description="Task lists over HTTP" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE"

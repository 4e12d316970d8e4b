# app:patroni is PostgreSQL with Patroni, the database of test_failover.py.
FROM python:3.13-slim AS build
COPY patroni.txt /tmp/
RUN python -m pip install --no-cache-dir --require-hashes --target /patroni --requirement /tmp/patroni.txt

FROM postgres:17
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /patroni /patroni
ENV PYTHONPATH=/patroni
USER 999:999
ENTRYPOINT ["python3", "/patroni/bin/patroni"]
CMD ["/config/patroni.json"]

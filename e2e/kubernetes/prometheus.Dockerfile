# app:prometheus has Debian's Prometheus. It scrapes the release in the tests of monitoring.
FROM python:3.13-slim
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus \
 && rm -rf /var/lib/apt/lists/*
USER 10001:0

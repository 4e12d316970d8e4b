# app:pgbouncer is Debian's PgBouncer, the pooler between the application and PostgreSQL in the tests
# of pooling.
FROM postgres:17
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends pgbouncer \
 && rm -rf /var/lib/apt/lists/*
USER 999:999
# On SIGTERM it waits until its clients leave, and the service keeps its connections. On SIGINT it
# finishes transactions.
STOPSIGNAL SIGINT
ENTRYPOINT ["pgbouncer"]
CMD ["/config/pgbouncer.ini"]

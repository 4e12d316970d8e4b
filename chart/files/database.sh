# Run once, by the image, on an empty data directory, in the chart and in
# docker-compose.yml: makes the application's database, owned by a role that is
# not a superuser. The superuser then has no password, so that only a shell in
# the container can be it.
password=$(cat "${POSTGRES_PASSWORD_FILE:-/dev/stdin}" <<<"${POSTGRES_PASSWORD-}") # Compose has no file
while [[ $password == *[$'\r\n'] ]]; do password=${password%?}; done # strip line breaks, as the service does
# psql gets the password in its environment, because every user can read the arguments of a process.
TASKLISTS_PASSWORD=$password psql --username=postgres --dbname=postgres --no-psqlrc --quiet \
  --set=ON_ERROR_STOP=1 --set=username="$TASKLISTS_USERNAME" --set=database="$TASKLISTS_DATABASE" <<'SQL'
SELECT :'username' = 'postgres' AS superuser \gset
\if :superuser
\else
  CREATE ROLE :"username" LOGIN;
\endif
CREATE DATABASE :"database" OWNER :"username";
-- Other roles, which may be added later, reach only what they are granted.
REVOKE CONNECT, TEMPORARY ON DATABASE :"database", postgres, template1 FROM PUBLIC;
-- Keep the password out of the log, even where postgres.parameters log all statements: at PANIC,
-- the server and its extensions log nothing else.
SET log_min_messages = panic;
-- The output of psql is part of the pod's log: print no messages of the server, and no failed statement.
SET client_min_messages = error;
\set VERBOSITY terse
SET track_activities = off; -- when a process crashes, the server logs its statement
SET pg_stat_statements.track = none; -- the extension would store the statement
\set password `printf %s "$TASKLISTS_PASSWORD"`
-- The image has set that of postgres already, but with a carriage return if the file ends in one.
ALTER ROLE :"username" PASSWORD :'password';
\if :superuser
\else
  ALTER ROLE postgres PASSWORD NULL;
\endif
SQL

# Run once, by the image, on an empty data directory: makes the application's
# database, owned by a role that is not a superuser. The superuser then has no
# password, so that only a shell in the pod can be it.
password=$(cat "$POSTGRES_PASSWORD_FILE")
while [[ $password == *[$'\r\n'] ]]; do password=${password%?}; done # as the service does
# psql gets the password in its environment: every user may read a process' arguments.
TASKLISTS_PASSWORD=$password psql --username=postgres --dbname=postgres --no-psqlrc --quiet \
  --set=ON_ERROR_STOP=1 --set=VERBOSITY=terse \
  --set=username="$TASKLISTS_USERNAME" --set=database="$TASKLISTS_DATABASE" <<'SQL'
SELECT :'username' = 'postgres' AS superuser \gset
\if :superuser
\else
  CREATE ROLE :"username" LOGIN;
\endif
CREATE DATABASE :"database" OWNER :"username";
-- The statement with the password stays out of the log, also where postgres.parameters log all
-- statements: at PANIC, neither the server nor an extension of it logs anything else.
SET log_min_messages = panic;
SET client_min_messages = error; -- psql's output is in the log of the pod
SET track_activities = off; -- the server logs what a process that crashes was doing
SET pg_stat_statements.track = none; -- which keeps statements in a file
\set password `printf %s "$TASKLISTS_PASSWORD"`
-- The image has set that of postgres, but with a carriage return that may be at the end.
ALTER ROLE :"username" PASSWORD :'password';
\if :superuser
\else
  ALTER ROLE postgres PASSWORD NULL;
\endif
SQL

# Run once, by the image, on an empty data directory: makes the application's
# database, owned by a role that is not a superuser. The superuser then has no
# password, so that only a shell in the pod can be it.
password=$(cat "$POSTGRES_PASSWORD_FILE")
while [[ $password == *[$'\r\n'] ]]; do password=${password%?}; done # as the service does
if [ "$TASKLISTS_USERNAME" = postgres ]; then
  # The image has set it already, but with a carriage return that may be at the end.
  psql --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 --quiet \
    --set=password="$password" <<'SQL'
ALTER ROLE postgres PASSWORD :'password';
SQL
else
  psql --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 --quiet \
    --set=username="$TASKLISTS_USERNAME" --set=password="$password" <<'SQL'
CREATE ROLE :"username" LOGIN PASSWORD :'password';
ALTER ROLE postgres PASSWORD NULL;
SQL
fi
psql --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 --quiet \
  --set=username="$TASKLISTS_USERNAME" --set=database="$TASKLISTS_DATABASE" <<'SQL'
CREATE DATABASE :"database" OWNER :"username";
SQL

# Run once, by the image, on an empty data directory: makes the application's
# database, owned by a role that is not a superuser. The superuser then has no
# password, so that only a shell in the pod can be it.
if [ "$TASKLISTS_USERNAME" != postgres ]; then
  psql --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 --quiet \
    --set=username="$TASKLISTS_USERNAME" --set=password="$(cat "$POSTGRES_PASSWORD_FILE")" <<'SQL'
CREATE ROLE :"username" LOGIN PASSWORD :'password';
ALTER ROLE postgres PASSWORD NULL;
SQL
fi
psql --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 --quiet \
  --set=username="$TASKLISTS_USERNAME" --set=database="$TASKLISTS_DATABASE" <<'SQL'
CREATE DATABASE :"database" OWNER :"username";
SQL

# Replaces what is in the database by /backups/$BACKUP: all of it in one
# transaction, or nothing. Readers and writers wait meanwhile.
set -euo pipefail
query() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1; }

cd /backups
if ! [ -f "$BACKUP" ]; then
  echo "There is no backup $BACKUP. There are:"
  ls -l
  exit 1
fi
pg_restore --list "$BACKUP" >/dev/null

. /scripts/connect.sh

# The database remembers, so that an upgrade that makes this Job again does no harm.
mark="restored from $BACKUP, attempt $ATTEMPT"
was=$(query <<<"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()")
if [ "$was" = "$mark" ]; then
  echo "The database was $mark, already: nothing to do."
  exit 0
fi

# Tables with rows, other than those that migrations fill.
filled=$(query <<'SQL' | paste --serial --delimiters=' '
SELECT format('(SELECT %L FROM %I.%I LIMIT 1)', tablename, schemaname, tablename)
FROM pg_tables
WHERE schemaname = 'public' AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
\gexec
SQL
)
if [ -n "$filled" ] && [ "$OVERWRITE" != true ]; then
  echo "The database is not empty (rows in: $filled), so nothing was changed."
  echo "To replace it, set restore.overwrite=true."
  exit 1
fi

# COMMIT comes only after the whole of the backup; without it the end of psql rolls all of it back.
# The lock is that of migrations (tasklists/migration_lock.py), which would deadlock with this.
{
  echo "BEGIN; SELECT pg_advisory_xact_lock(8386110886358119284);"
  echo "SET LOCAL lock_timeout = '60s'; SET LOCAL client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
  pg_restore --no-owner --no-privileges --file=- "$BACKUP"
  echo "SELECT format('COMMENT ON DATABASE %I IS %L', current_database(), '$mark') \\gexec"
  echo "COMMIT;"
} | query >/dev/null
echo "The database is $mark."

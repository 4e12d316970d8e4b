# Replaces what is in the database by /backups/$BACKUP: all of it in one
# transaction, or nothing. Readers and writers wait meanwhile.
cd /backups
if ! [ -f "$BACKUP" ]; then
  echo "There is no backup $BACKUP. There are:"
  ls -l
  exit 1
fi
pg_restore --list "$BACKUP" >/dev/null

connect

# The database remembers its restore, so that an upgrade that creates this Job again changes nothing.
mark="restored from $BACKUP, attempt $ATTEMPT"

# COMMIT comes only after the whole of the backup; without it the end of psql rolls all of it back.
replace() {
  {
    cat <<'SQL'
-- READ WRITE, because a move makes the old database read-only, and the way back restores into it (docs/cloudnative-pg.md).
BEGIN READ WRITE;
-- The lock of migrations (MIGRATION_LOCK in project/settings.py), which would deadlock with this. A
-- transaction that waited for it would deadlock, too: CREATE INDEX CONCURRENTLY waits for older ones.
SELECT pg_try_advisory_xact_lock(8386110886358119284) AS locked \gset
\if :locked
\else
  \echo migrating
  \q
\endif
SET LOCAL lock_timeout = '60s';
SET LOCAL statement_timeout = 0; -- the role may have one (templates/cloudnativepg/_cluster.tpl)
SET LOCAL client_min_messages = warning;
-- From here on nobody else writes, so the tables that are checked are those that are replaced.
SELECT format('LOCK TABLE %I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'
ORDER BY tablename \gexec
SELECT shobj_description(oid, 'pg_database') IS NOT DISTINCT FROM :'mark' AS done
FROM pg_database WHERE datname = current_database() \gset
\if :done
  \echo done
  \q
\endif
-- Tables with rows, other than those that migrations fill and that of failed logins, which anybody can fill.
CREATE TEMPORARY TABLE filled (name text) ON COMMIT DROP;
SELECT format('INSERT INTO filled SELECT %L FROM %I.%I LIMIT 1', tablename, schemaname, tablename)
FROM pg_tables
WHERE schemaname = 'public' AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission', 'service_loginfailure')
\gexec
SELECT string_agg(name, ' ' ORDER BY name) AS filled, count(*) > 0 AND :'overwrite' <> 'true' AS refused FROM filled \gset
\if :refused
  \echo refused :filled
  \q
\endif
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
SQL
    pg_restore --no-owner --no-privileges --file=- "$BACKUP" && cat <<'SQL'
SELECT format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()) \gexec
SELECT format('COMMENT ON DATABASE %I IS %L', current_database(), :'mark') \gexec
COMMIT;
\echo restored
SQL
  } | psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 \
    --set=mark="$mark" --set=overwrite="$OVERWRITE" | tail --lines=1
}

# A request that uses several tables may lock them in another order. PostgreSQL resolves such a
# deadlock by rolling back one of the transactions, possibly the restore.
problems=$(mktemp)
for _ in {1..5}; do
  until { outcome=$(replace 2>"$problems") || true; [ "$outcome" != migrating ]; }; do
    echo "waiting until no migration runs"
    sleep 2
  done
  cat "$problems" >&2
  grep --quiet 'deadlock detected' "$problems" || break
done

case $outcome in
  restored) echo "The database is $mark." ;;
  done) echo "The database was $mark, already: nothing to do." ;;
  refused*)
    echo "The database is not empty (rows in: ${outcome#refused }), so nothing was changed."
    echo "To replace it, set restore.overwrite=true."
    exit 1
    ;;
  *)
    echo "The restore failed, so nothing was changed."
    exit 1
    ;;
esac

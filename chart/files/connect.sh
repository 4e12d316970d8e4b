# templates/backup/_backup.tpl puts this script in front of backup.sh and restore.sh.
set -euo pipefail
umask 077 # a dump has hashes of passwords, and tokens

# Wait until the database answers: it may be starting, and a cluster takes a
# moment to let a new pod through its network policies.
connect() {
  PGPASSWORD=$(cat /run/secrets/postgres/password)
  while [[ $PGPASSWORD == *[$'\r\n'] ]]; do PGPASSWORD=${PGPASSWORD%?}; done # strip line breaks, as the service does
  export PGPASSWORD
  for _ in {1..150}; do
    pg_isready --quiet && return
    sleep 2
  done
  echo "The database at $PGHOST did not answer within five minutes."
  exit 1
}

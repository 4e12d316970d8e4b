# Starts PostgreSQL, one at a time on the volume: a pod that was deleted by force may run for
# seconds after its successor has begun, and PostgreSQL's own lock ends at the container's border.
# Every process of the server inherits the lock; where the volume has no locks, it starts as ever.
exec 9>>/var/lib/postgresql/data/lock
trap 'exit 143' INT TERM
if ! flock -n 9; then
  echo "waiting until no other PostgreSQL uses the volume"
  flock 9 &
  wait $!
fi
trap - INT TERM
exec docker-entrypoint.sh "$@"

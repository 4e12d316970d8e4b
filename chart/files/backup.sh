# Dumps the database to /backups, reads the dump back, and keeps the newest $KEEP.
connect

# Under another name until it is known to be good. A run that was killed leaves one behind.
find /backups -maxdepth 1 -name '*.partial' -mmin +1440 -delete
# Older versions left backups that every user of the volume may read.
find /backups -maxdepth 1 -name '*.dump' -user "$(id -u)" -perm /007 -exec chmod go= {} +
name=$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump
partial=/backups/$name.$HOSTNAME.partial
trap 'rm -f "$partial"' EXIT

pg_dump --format=custom --file="$partial"
pg_restore --list "$partial" >/dev/null
pg_restore --file=/dev/null "$partial"
sync "$partial"
mv "$partial" "/backups/$name"

cd /backups
ls -1 "$PGDATABASE"-*.dump | sort --reverse | tail --lines=+$((KEEP + 1)) | xargs --no-run-if-empty rm --verbose --
echo "made $name; the backups now:"
ls -l -- *.dump

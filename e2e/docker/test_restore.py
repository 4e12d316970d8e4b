"""The script that restores a backup on Kubernetes, when pg_restore is killed halfway."""

from pathlib import Path

from e2e.docker.terminal import ROOT, Terminal, eventually

# Instead of PostgreSQL's own: it ends between two statements, as if memory had run out.
KILLED = """\
#!/bin/sh
[ "$1" = --list ] && exit
echo 'CREATE TABLE public.half (x int);'
exit 137
"""
SETTINGS = {
    "PGHOST": "127.0.0.1",
    "PGUSER": "postgres",
    "PGDATABASE": "tasklists",
    "BACKUP": "a.dump",
    "ATTEMPT": "1",
    "OVERWRITE": "true",
}


def test_half_a_restore_changes_nothing(terminal: Terminal, tmp_path: Path) -> None:
    for name, content, mode in (
        ("bin/pg_restore", KILLED, 0o755),
        ("postgres/password", "foobar", 0o644),
        ("backups/a.dump", "", 0o644),
    ):
        file = tmp_path / name
        file.parent.mkdir()
        file.write_text(content)
        file.chmod(mode)
    tmp_path.chmod(0o755)
    mounts = {
        f"{ROOT}/chart/files": "/scripts",
        tmp_path / "bin": "/killed",
        tmp_path / "postgres": "/run/secrets/postgres",
        tmp_path / "backups": "/backups",
    }
    volumes = " ".join(f"-v {source}:{target}:ro" for source, target in mounts.items())
    database = terminal(
        f"docker run -d {volumes} -e POSTGRES_PASSWORD=foobar -e POSTGRES_DB=tasklists postgres:17"
    )

    def sql(statement: str) -> str:
        psql = "psql -h 127.0.0.1 -U postgres -At tasklists"
        return terminal(f'docker exec -e PGPASSWORD=foobar {database} {psql} -c "{statement}"')

    eventually(lambda: sql("select 1"))
    sql("create table lists as select 'kept' as name")
    options = " ".join(f"-e {name}={value}" for name, value in SETTINGS.items())
    script = 'PATH=/killed:$PATH bash -c "$(cat /scripts/connect.sh /scripts/restore.sh)"'
    done = terminal.run(f"docker exec {options} {database} sh -c '{script}'")
    assert done.returncode == 1
    assert done.stdout == "The restore failed, so nothing was changed.\n"
    assert sql("select name from lists") == "kept"

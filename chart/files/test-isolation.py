"""Try to reach the database from a pod that is none of its clients: it must not answer."""

import os
import socket
import time

host = os.environ["DATABASE_HOST"]


def wait_for_its_name() -> None:
    """The database's name is known when its pod has an address."""
    for _ in range(120):
        try:
            socket.getaddrinfo(host, 5432)
            return
        except socket.gaierror:
            time.sleep(1)
    raise SystemExit(f"{host} had no address for two minutes")


wait_for_its_name()
try:
    socket.create_connection((host, 5432), timeout=5).close()
except OSError as error:
    print(f"{host}:5432 can't be reached from here, as it should be ({error}).")
else:
    raise SystemExit(
        f"{host}:5432 answers any pod: the cluster's network plugin does not enforce NetworkPolicies"
    )

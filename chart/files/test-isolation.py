"""Try to reach the database from a pod that is none of its clients: it must not answer."""

import os
import socket
import time

HOST = os.environ["DATABASE_HOST"]


def has_address() -> bool:
    try:
        return bool(socket.getaddrinfo(HOST, 5432))
    except socket.gaierror:
        return False


def answers() -> bool:
    try:
        socket.create_connection((HOST, 5432), timeout=5).close()
    except OSError:
        return False
    return True


for _ in range(120):  # the database may be starting
    if has_address():
        break
    time.sleep(1)
else:
    raise SystemExit(f"{HOST} had no address for two minutes")

if answers():
    raise SystemExit(
        f"{HOST}:5432 answers any pod: "
        "the network plugin of this cluster does not enforce NetworkPolicies"
    )
print(f"{HOST}:5432 does not answer this pod, as it should be.")

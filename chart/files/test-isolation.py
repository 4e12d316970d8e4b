"""Try to reach the database from a pod that is none of its clients: it must not answer."""

import os
import socket

host = os.environ["DATABASE_HOST"]
try:
    socket.create_connection((host, 5432), timeout=5).close()
except socket.gaierror as error:
    raise SystemExit(f"{host} is not a name in this cluster: {error}") from error
except OSError as error:
    print(f"{host}:5432 can't be reached from here, as it should be ({error}).")
else:
    raise SystemExit(f"{host}:5432 answers any pod: the cluster's network plugin does not enforce NetworkPolicies")

"""What the packaged chart contains."""

import subprocess
import tarfile
from pathlib import Path

from rendering import CHART


def test_it_has_what_an_install_needs_and_nothing_else(tmp_path: Path) -> None:
    command = ["helm4", "package", str(CHART), f"--destination={tmp_path}"]
    subprocess.run(command, check=True, capture_output=True)
    [package] = tmp_path.iterdir()
    with tarfile.open(package) as archive:
        found = {Path(name).parts[1] for name in archive.getnames()}
    files = {".helmignore", "Chart.yaml", "README.md", "values.yaml", "values.schema.json"}
    assert found == files | {"templates", "files", "examples"}

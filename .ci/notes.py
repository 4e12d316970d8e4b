"""Print the notes of a release: ``notes.py TAG REPOSITORY IMAGE CHART``.

They are the changelog's part for that version, and how to install and verify what was published.
REPOSITORY is the address of its page. IMAGE and CHART are names with a digest: ``NAME@sha256:…``.

``notes.py --check TAG`` fails unless the service, the chart and the changelog have that version.
"""

import re
import sys
from pathlib import Path

VERSIONS = {
    "project/settings.py": r'(?m)^VERSION = "(.*?)"',
    "chart/Chart.yaml": r"(?m)^version: (.*)$",
    "chart/Chart.yaml, appVersion": r'(?m)^appVersion: "(.*)"$',
}

NOTES = """\
{changes}

## Install

```sh
helm install tasklists oci://{chart_name} --version {version} \\
  --set image.registry={registry} --set image.repository={repository} --set image.digest={digest}
```

The image runs on amd64 and arm64: `docker run -p 5000:5000 {image}`

## Verify

The workflow of this repository has signed the image and the chart.
[cosign](https://docs.sigstore.dev) 3 checks that:

```sh
cosign verify {image} {signed_by}
cosign verify {chart} {signed_by}
```

This shows the packages in the image, and `.Provenance` in place of `.SBOM` how it was built:

```sh
docker buildx imagetools inspect {image} --format '{{{{json .SBOM}}}}'
```
"""


def changes(changelog: str, version: str) -> str:
    """The changelog's part for a version; empty if it has none."""
    part = re.search(rf"(?ms)^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## \[|\Z)", changelog)
    return part[1].strip() if part else ""


def with_addresses(text: str, base: str) -> str:
    """Links to files as links to pages, for a reader who has no checkout."""
    return re.sub(r"\]\((?!https?:|#)([^)]+)\)", rf"]({base}/\1)", text)


def problems(version: str) -> list[str]:
    """What does not fit a release of that version."""
    found = []
    for place, pattern in VERSIONS.items():
        match = re.search(pattern, Path(place.partition(",")[0]).read_text())
        if not match or match[1] != version:
            found.append(f"{place} has version {match[1] if match else 'none'}, not {version}")
    if not changes(Path("CHANGELOG.md").read_text(), version):
        found.append(f"CHANGELOG.md says nothing about {version}")
    return found


def notes(tag: str, page: str, image: str, chart: str) -> str:
    version = tag.removeprefix("v")
    registry, _, repository = image.partition("@")[0].partition("/")
    identity = f"{page}/.github/workflows/release.yml@refs/tags/{tag}"
    issuer = "https://token.actions.githubusercontent.com"
    return NOTES.format(
        changes=with_addresses(
            changes(Path("CHANGELOG.md").read_text(), version), f"{page}/blob/{tag}"
        ),
        version=version,
        image=image,
        chart=chart,
        chart_name=chart.partition("@")[0],
        registry=registry,
        repository=repository,
        digest=image.partition("@")[2],
        signed_by=f"--certificate-identity={identity} --certificate-oidc-issuer={issuer}",
    )


def main(arguments: list[str]) -> None:
    if arguments[0] == "--check":
        if found := problems(arguments[1].removeprefix("v")):
            sys.exit("\n".join(found))
        return
    print(notes(*arguments), end="")


if __name__ == "__main__":
    main(sys.argv[1:])

"""backup.schedule accepts exactly what a CronJob accepts; an API server decides, if one answers."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from rendering import CHART, Refused, mutations, render, require_cluster

# fmt: off
GOOD = [
    *("0 3 * * *", "*/15 * * * *", "0 0 1 1 0", "59 23 31 12 6", "0 22 * * 1-5", "5,35 4 * * *"),
    *("1-10/3 * * * *", "5/10 * * * *", "*/100 * * * *", "0 0 ? * MON", "0 0 * jan-MAR sun,Wed"),
    *("0 0 * 1-DEC Mon-6", "05 003 * * *", "+5 3 * * *", "0 3 * * * ", " 0 3 * * *", "0\t3  * *\n*"),
    *("0\u00a03\u2003* * *", "0\u00853 * * *", "0\v3\f* * *", ",1,,2, 3 * * *", ", * * * *"),
    *("*-5 * * * *", "?-x/2 * * * *", "7-7 * * * *", "0 0 31 2 *", "*/1,*/2 * * * *"),
    *("0/9 */007 * * *", "*/9223372036854775807 * * * *"),
    *("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly", "@every 1h30m"),
    *("@every 0", "@every -1h", "@every +1.5h", "@every .5s", "@every 5.m", "@every 10ms", "@every 1us"),
    *("@every 1µs", "@every 1μs", "@every 1ns2h3m", "@every 2562047h"),
]
BAD = [
    *("", " ", "every day at 3", "daily", "3", "0 3 * *", "0 3 * * * *", "0 0 3 * * *", "* * * * 7"),
    *("60 * * * *", "0 24 * * *", "0 0 0 * *", "0 0 32 * *", "0 0 1 0 *", "0 0 1 13 *", "0 0 * * 8"),
    *("5-1 * * * *", "0 0 * * fri-mon", "50-60 * * * *", "*/0 * * * *", "*/-1 * * * *", "*/ * * * *"),
    *("1-2-3 * * * *", "1/2/3 * * * *", "-5 * * * *", "5- * * * *", "/5 * * * *", "- * * * *"),
    *("mon * * * *", "0 0 mon * *", "0 0 * mon *", "0 0 * * jan", "0 0 * * monday", "0 0 L * *"),
    *("0 0 * * 1#2", "0 0 15W * *", "1.5 * * * *", "1e1 * * * *", "0x5 * * * *", "٣ * * * *", "5+ * * * *"),
    *("++5 * * * *", "H 3 * * *", "** * * * *", "*5 * * * *", "%s * * * *", "1;2 3 * * *", "1_0 * * * *"),
    *("*/9223372036854775808 * * * *", "*/-5 * * * *", "99999999999999999999 * * * *", "0 3 * * *\0", "0\u200b3 * * *"),
    *("TZ=UTC 0 3 * * *", "CRON_TZ=Europe/Lisbon 0 3 * * *", "TZ=UTC @daily", "CRON_TZ= 0 3 * * *"),
    *("@", "@Daily", "@daily ", " @daily", "@dialy", "@reboot", "@every", "@every ", "@every 1", "@every h"),
    *("@every 1d", "@every 1h 30m", "@every  1h", "@every 1h ", "@every .h", "@every 1..5h", "@every --1h"),
    *("@every 2562048h", "@every 99999999999999999999s", "@every 1H", "@Every 1h", "@every 1h30", "@every 00"),
]
# fmt: on
PIECES = [*"0123456789*?/-,+ @.TZ", "mon", "DEC", "60", "31", "24", "h", "ms", "µs", "\t", "\u2028"]


@pytest.fixture(params=["helm3", "helm4"])
def lets_through(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    """A function that returns those texts that the chart's template accepts, in one rendering."""
    (tmp_path / "templates").mkdir()
    shutil.copy(CHART / "templates" / "_schedule.tpl", tmp_path / "templates")
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: schedules, version: 0.0.0}")
    (tmp_path / "templates" / "faults.yaml").write_text(
        'faults:\n{{- range .Values.texts }}\n- {{ include "tasklists.scheduleFault" . | quote }}\n{{- end }}\n'
    )

    def answer(texts: list[str]) -> list[str]:
        done = subprocess.run(
            [request.param, "template", str(tmp_path), "--values=-"],
            input=json.dumps({"texts": texts}), capture_output=True, text=True, check=True,
        )  # fmt: skip
        faults = yaml.safe_load(done.stdout)["faults"]
        return [text for text, fault in zip(texts, faults, strict=True) if not fault]

    return answer


def accepted_by_the_server(texts: list[str]) -> list[str]:
    """Return those texts with which the API server would create a CronJob."""
    require_cluster()
    pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]}
    jobs = [
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": f"schedule-{place}", "namespace": "default"},
            "spec": {"schedule": text, "jobTemplate": {"spec": {"template": {"spec": pod}}}},
        }
        for place, text in enumerate(texts)
    ]
    done = subprocess.run(
        ["kubectl", "create", "--dry-run=server", "--filename=-", "--output=name"],
        input=json.dumps({"apiVersion": "v1", "kind": "List", "items": jobs}),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    made = {int(place) for place in re.findall(r"cronjob\.batch/schedule-(\d+)", done.stdout)}
    refused = {int(place) for place in re.findall(r'"schedule-(\d+)" is invalid', done.stderr)}
    assert made | refused == set(range(len(texts))), done.stderr
    assert not made & refused
    return [text for place, text in enumerate(texts) if place in made]


def test_the_table_is_what_an_api_server_says() -> None:
    assert accepted_by_the_server([*GOOD, *BAD]) == GOOD


def test_a_schedule_that_a_cronjob_takes_is_let_through(lets_through) -> None:  # type: ignore[no-untyped-def]
    assert lets_through([*GOOD, *BAD]) == GOOD


def test_other_schedules_are_let_through_where_an_api_server_takes_them(lets_through) -> None:  # type: ignore[no-untyped-def]
    texts = mutations(GOOD, PIECES, 400)
    assert accepted_by_the_server(texts) == lets_through(texts)


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
def test_the_chart_names_the_value_and_the_fault(helm: str) -> None:
    assert render({"backup": {"enabled": True, "schedule": "@daily"}}, helm=helm)
    with pytest.raises(
        Refused, match=r'backup\.schedule is "every day at 3", .* it takes five fields'
    ):
        render({"backup": {"schedule": "every day at 3"}}, helm=helm)

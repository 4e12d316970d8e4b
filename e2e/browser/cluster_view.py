"""The cluster view in a window, by the roles and names that a screen reader says."""

import re
import time

from playwright.sync_api import Locator, expect

from e2e.browser.window import Window

SLOW = 30  # seconds; a pod is gone after ten without an answer


class ClusterView:
    def __init__(self, window: Window) -> None:
        self.window = window
        self.page = window.page
        self.region = self.page.get_by_role("region", name="Cluster")
        self.sentence = self.region.get_by_role("status")
        self.strip = self.region.get_by_role("img")
        self.cells = self.strip.locator(".cell")
        self.legend = self.region.get_by_role("list", name=re.compile("Legend|Legenda"))
        self.table = self.region.get_by_role("table", name="Pods")

    def start(self, rate: int = 20) -> None:
        self.region.get_by_role("combobox", name="Requests per second").select_option(str(rate))
        self.region.get_by_role("button", name="Start").click()

    def stop(self) -> None:
        self.region.get_by_role("button", name="Stop").click()

    def says(self, text: str | re.Pattern[str], seconds: float = SLOW) -> None:
        expect(self.sentence).to_have_text(text, timeout=seconds * 1000)

    def total(self, name: str) -> Locator:
        """The number above "answered", "503 unavailable" or "failed"."""
        term = self.page.locator("dt", has_text=re.compile(f"^{name}$"))
        return self.region.locator("dl > div").filter(has=term).locator("dd")

    def count(self, name: str) -> int:
        return int(self.total(name).inner_text().replace(",", ""))

    def answered(self, at_least: int) -> None:
        """Wait for so many answers."""
        end = time.monotonic() + SLOW
        while self.count("answered") < at_least:
            assert time.monotonic() < end, f"not in {SLOW} s: {at_least} answers"
            self.page.wait_for_timeout(50)  # which handles the page's events

    def answers_of(self, pod: str, at_least: int) -> None:
        """Wait for so many answers of a pod."""
        end = time.monotonic() + SLOW
        while int(self.cell(pod, "Answers").inner_text().replace(",", "")) < at_least:
            assert time.monotonic() < end, f"not in {SLOW} s: {at_least} answers of {pod}"
            self.page.wait_for_timeout(50)

    def row(self, pod: str) -> Locator:
        return self.table.get_by_role("row").filter(has_text=pod)

    def cell(self, pod: str, column: str) -> Locator:
        """What the table has in that column of the pod's row."""
        expect(self.row(pod)).to_be_visible()
        columns = self.table.get_by_role("columnheader").all_inner_texts()
        return self.row(pod).get_by_role("cell").nth(columns.index(column))

    def has_row(self, pod: str, **columns: str | re.Pattern[str]) -> None:
        """Expect these texts in the pod's row; ``lists_known`` is the column "Lists known"."""
        for column, text in columns.items():
            name = column.replace("_", " ").capitalize()
            expect(self.cell(pod, name)).to_have_text(text, timeout=SLOW * 1000)

    def is_gone(self, pod: str, seconds: float = SLOW) -> None:
        expect(self.row(pod)).to_contain_text("last answered at", timeout=seconds * 1000)

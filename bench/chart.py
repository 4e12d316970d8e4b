"""The results of a run as a chart: a panel of bars for each workload."""

from collections.abc import Iterable
from html import escape

from bench.databases import POSTGRESQL
from bench.load import WORKLOADS
from bench.report import Case, Results
from bench.stacks import LIMIT, SERVICE

CONNECTIONS = 8
WIDTH, LABELS, VALUES = 720, 190, 60
BAR, GAP, TITLE = 16, 5, 34
COLOURS = {SERVICE: "#0b7a75"}
OTHERS = "#9aa5b1"


def svg(results: Results) -> str:
    top = 44
    parts: list[str] = []
    for workload in WORKLOADS:
        rates = {
            stack: rate
            for stack in results.stacks()
            if stack != LIMIT
            and (rate := results.rate(Case(POSTGRESQL, CONNECTIONS, workload.name, stack)))
        }
        parts += panel(workload.name, rates, top)
        top += TITLE + len(rates) * (BAR + GAP) + 10
    title = f"Requests per second on {POSTGRESQL}, {CONNECTIONS} connections, one core"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" '
            f'aria-label="{title}" font-family="system-ui, sans-serif" font-size="13">',
            f'<rect width="{WIDTH}" height="{top}" fill="#fff"/>',
            f'<text x="16" y="28" font-size="17" font-weight="bold">{title}</text>',
            *parts,
            "</svg>\n",
        ]
    )


def panel(title: str, rates: dict[str, float], top: int) -> Iterable[str]:
    """A bar for each stack, the fastest across the whole width."""
    yield f'<text x="16" y="{top + 22}" font-weight="bold">{escape(title)}</text>'
    scale = (WIDTH - LABELS - VALUES - 16) / max(rates.values(), default=1)
    for number, (stack, rate) in enumerate(sorted(rates.items(), key=lambda item: -item[1])):
        y = top + TITLE + number * (BAR + GAP)
        length = rate * scale
        yield f'<text x="{LABELS - 8}" y="{y + 13}" text-anchor="end">{escape(stack)}</text>'
        yield (
            f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2" '
            f'fill="{COLOURS.get(stack, OTHERS)}"/>'
        )
        yield f'<text x="{LABELS + length + 6:.1f}" y="{y + 13}">{rate:,.0f}</text>'

# SPDX-License-Identifier: Apache-2.0
"""Rows, their verdicts, and the table."""
import dataclasses
import statistics


@dataclasses.dataclass
class Row:
    """One line of the table. `must` is asked of ours, or of ours against the limit's where `ratio` is set."""
    work: str
    unit: str
    ours: list
    must: float
    limit: list = dataclasses.field(default_factory=list)
    ratio: bool = False
    more_is_better: bool = False
    nominal: float = None  # what the limit took where `must` was set; twice that: the machine is too busy to judge
    note: str = ""

    def middle(self, values):
        return statistics.median(values) if values else None

    def judged(self):
        ours, limit = self.middle(self.ours), self.middle(self.limit)
        return ours / limit if self.ratio and limit else ours

    def void(self):
        limit = self.middle(self.limit)
        if self.nominal is None or limit is None:
            return False
        return limit * 2 < self.nominal if self.more_is_better else limit > self.nominal * 2

    def verdict(self):
        holds = self.judged() >= self.must if self.more_is_better else self.judged() <= self.must
        if self.void():
            return "void" + (", holds" if holds else "")
        return "holds" if holds else "MISSED"

    def cells(self):
        ours, limit = self.middle(self.ours), self.middle(self.limit)
        sign = ">=" if self.more_is_better else "<="
        spread = f" ({number(min(self.ours))}..{number(max(self.ours))})" if len(self.ours) > 1 else ""
        return [self.work, number(limit), number(ours) + spread, number(ours / limit) if limit else "-",
                self.unit, f"{sign} {number(self.must)}{' x' if self.ratio else ''}", self.verdict(), self.note]


HEADINGS = ["work", "limit", "ours (spread)", "ratio", "unit", "must", "verdict", "note"]


def number(value):
    if value is None:
        return "-"
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(rows):
    lines = [HEADINGS, ["---"] * len(HEADINGS)] + [row.cells() for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    widths[-1] = 0
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]

"""Figures of ./dev bench autoscale: means over cells, intervals from days, a chart."""
import math
import random


def geomean(values):
    values = [value for value in values if value > 0]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else 0.0


def by_trace(cells):
    """{trace: {policy: {"cr", "unserved", ...}}}: geometric mean of CR, the worst unserved share."""
    out = {}
    for cell in cells:
        out.setdefault(cell["trace"], {}).setdefault(cell["policy"], []).append(cell)
    return {trace: {policy: {
        "cr": round(geomean([cell["cr"] for cell in group]), 4),
        "unserved": round(sum(cell["unserved"] for cell in group) / len(group), 6),
        "unserved_worst": round(max(cell["unserved"] for cell in group), 6),
        "cells_over_objective": sum(not cell["reached"] for cell in group),
        "late": round(sum(cell["late"] for cell in group) / len(group), 6),
        "actions_per_day": round(sum(cell["actions"] / cell["simulated_s"] * 86400
                                     for cell in group) / len(group), 1)}
        for policy, group in policies.items()} for trace, policies in out.items()}


def by_boot(cells):
    """{boot: {policy: geometric mean of CR}}"""
    out = {}
    for cell in cells:
        out.setdefault(f"{cell['boot_s']:g}", {}).setdefault(cell["policy"], []).append(cell["cr"])
    return {boot: {policy: round(geomean(values), 4) for policy, values in policies.items()}
            for boot, policies in out.items()}


def paired_interval(cells, policy, rival, rounds=500, seed=1):
    """95 % interval of the geometric mean of cost(policy) / cost(rival): days of each cell drawn
    anew, the same ones for both, so that what both meet alike cancels out."""
    pairs = []
    index = {(c["trace"], c["scale"], c["boot_s"], c["seed"], c["policy"]): c for c in cells}
    for key, cell in index.items():
        other = index.get(key[:4] + (rival,))
        if key[4] == policy and other and len(cell["days"]) > 1:
            pairs.append([(a[0], b[0]) for a, b in zip(cell["days"], other["days"])])
    if not pairs:
        return None
    draw = random.Random(seed)
    means = []
    for _ in range(rounds):
        logs = []
        for days in pairs:
            chosen = draw.choices(days, k=len(days))
            logs.append(math.log(sum(a for a, _ in chosen) / sum(b for _, b in chosen)))
        means.append(math.exp(sum(logs) / len(logs)))
    means.sort()
    return [round(means[int(0.025 * rounds)], 4), round(means[int(0.975 * rounds)], 4)]


COLOURS = ["#d64541", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f"]


def svg(traces, policies):
    """Bars of CR, a group a trace; hollow where a cell of it missed the objective."""
    top, height, left, bar, gap = 40, 260, 50, 14, 26
    group = bar * len(policies) + gap
    width = max(760, left + group * len(traces) + 90)  # the title and the last name fit
    most = 4.0

    def y(value):
        return top + height * (1 - min(value, most) / most)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height + 130}" '
             f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" '
             f'fill="white"/><text x="{left}" y="20">cost by the offline optimum (CR), geometric '
             f'mean over scales, boots and seeds; hollow: a cell left more than 0.1 %</text>']
    for tick in (0, 1, 2, 3, 4):
        parts.append(f'<line x1="{left}" x2="{width - 10}" y1="{y(tick)}" y2="{y(tick)}" '
                     f'stroke="#ddd"/><text x="{left - 8}" y="{y(tick) + 4}" '
                     f'text-anchor="end">{tick}</text>')
    for number, (trace, figures) in enumerate(traces.items()):
        x = left + number * group + gap / 2
        for place, policy in enumerate(policies):
            if policy not in figures:
                continue
            cr, colour = figures[policy]["cr"], COLOURS[place % len(COLOURS)]
            fill = "white" if figures[policy]["cells_over_objective"] else colour
            parts.append(f'<rect x="{x + place * bar:.0f}" y="{y(cr):.1f}" width="{bar - 2}" '
                         f'height="{top + height - y(cr):.1f}" fill="{fill}" stroke="{colour}">'
                         f'<title>{policy}: {cr}</title></rect>')
        parts.append(f'<text x="{x:.0f}" y="{top + height + 16 + 14 * (number % 2)}">'
                     f'{trace[:20]}</text>')
    x = left
    for place, policy in enumerate(policies):
        parts.append(f'<rect x="{x}" y="{top + height + 52}" width="12" height="8" '
                     f'fill="{COLOURS[place % len(COLOURS)]}"/>'
                     f'<text x="{x + 16}" y="{top + height + 60}">{policy}</text>')
        x += 30 + 7 * len(policy)
    return "\n".join(parts) + "</svg>\n"

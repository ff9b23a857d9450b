"""Healthy replicas over time, a panel for each column, as one SVG file without outside parts."""
WIDTH, PANEL, LEFT, TOP = 1000, 150, 50, 30


def _points(samples, scale, base, unit):
    """A step where it changes, and the end."""
    out, last = [], None
    for seconds, _, healthy in samples:
        if healthy == last and seconds != samples[-1][0]:
            continue
        x = f"{LEFT + seconds * scale:.1f}"
        if out:
            out.append(f"{x},{out[-1].split(',')[1]}")
        out.append(f"{x},{base - healthy * unit:.1f}")
        last = healthy
    return " ".join(out)


def _short(samples, scale, base):
    """Marks below the axis where fewer were healthy than wanted."""
    spells = []
    for (begin, wanted, healthy), (end, _, _) in zip(samples, samples[1:]):
        if healthy >= wanted:
            continue
        if spells and spells[-1][1] == begin:
            spells[-1][1] = end
        else:
            spells.append([begin, end])
    return "".join(f'<rect x="{LEFT + begin * scale:.1f}" y="{base + 7}" '
                   f'width="{(end - begin) * scale + 0.5:.1f}" height="5" fill="#c33"/>'
                   for begin, end in spells)


def _wanted(samples, scale, base, unit):
    return _points([(seconds, 0, wanted) for seconds, wanted, _ in samples], scale, base, unit)


def svg(columns):
    """`columns`: name -> {"samples": [(seconds, wanted, healthy)], "events": [...]}"""
    height = TOP + len(columns) * (PANEL + 40)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
             f'font-family="sans-serif" font-size="12">'
             f'<rect width="100%" height="100%" fill="white"/>'
             f'<text x="{LEFT}" y="18">replicas: healthy (line) and wanted (grey); '
             f'each tick is an event, red: fewer than wanted</text>']
    for number, (name, column) in enumerate(columns.items()):
        samples = column["samples"]
        if not samples:
            continue
        base = TOP + number * (PANEL + 40) + PANEL
        top = max(max(wanted, healthy) for _, wanted, healthy in samples) + 1
        scale, unit = (WIDTH - LEFT - 20) / max(samples[-1][0], 1), (PANEL - 20) / top
        parts.append(f'<text x="{LEFT}" y="{base - PANEL + 14}" font-weight="bold">{name}</text>')
        for value in range(top + 1):
            y = base - value * unit
            parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - 20}" y2="{y:.1f}" '
                         f'stroke="#eee"/><text x="{LEFT - 18}" y="{y + 4:.1f}">{value}</text>')
        for event in column["events"]:
            x = LEFT + event["at_s"] * scale
            parts.append(f'<line x1="{x:.1f}" y1="{base}" x2="{x:.1f}" y2="{base + 6}" '
                         f'stroke="#555"><title>{event["number"]} {event["kind"]}</title></line>')
        parts.append(f'<polyline points="{_wanted(samples, scale, base, unit)}" fill="none" '
                     f'stroke="#bbb" stroke-width="3"/>')
        parts.append(f'<polyline points="{_points(samples, scale, base, unit)}" fill="none" '
                     f'stroke="#06c" stroke-width="1.5"/>')
        parts.append(_short(samples, scale, base))
        parts.append(f'<text x="{WIDTH - 90}" y="{base + 20}">{samples[-1][0]:.0f} s</text>')
    return "\n".join(parts) + "\n</svg>\n"

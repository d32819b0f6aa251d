"""What is written on a figure, and whether it can be read."""

from functools import lru_cache
from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.axis import Tick
from matplotlib.text import Text


@lru_cache(maxsize=1)  # laying a figure out takes longer than all that is asked of it
def words(figure):
    """Return what is written on a finished figure, and where, in pixels; labels of ticks beyond an axis are never drawn."""
    figure.draw_without_rendering()
    axes = [axis for panel in figure.findobj(Axes) for axis in (panel.xaxis, panel.yaxis)]
    drawn = {tick.label1 for axis in axes for tick in axis._update_ticks()}
    ticks = {label for tick in figure.findobj(Tick) for label in (tick.label1, tick.label2)}
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    return [(t.get_text(), t.get_window_extent()) for t in texts if t not in ticks or t in drawn]


def overlapping(figure):
    found = []
    for (one, a), (other, b) in combinations(words(figure), 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        if wide > 1.5 and high > 1.5:
            found.append((one, other))
    return found


def outside(figure):
    page = figure.bbox
    return [
        text
        for text, box in words(figure)
        if box.x0 < -1 or box.y0 < -1 or box.x1 > page.x1 + 1 or box.y1 > page.y1 + 1
    ]

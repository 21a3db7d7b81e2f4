"""The chart of a weekly report: its alerts by day, and the topics that rose and fell. Pure."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date

from bot.charts.chart import Bars, Chart, Columns
from bot.charts.stats import thousands, topic_bar
from bot.locales.locale import Locale, show_number
from bot.models.notices import Notice, WeeklyReport

_TOPICS = 6


def chart_of(notice: Notice, locale: Locale) -> Chart | None:
    """Return the chart that stands above a notice; None for one without."""
    if not isinstance(notice, WeeklyReport) or not sum(notice.counts.alerts) + notice.counts.alerts_before:
        return None
    t, counts, zone = locale.t, notice.counts, ZoneInfo(locale.time_zone)
    days = [notice.since.astimezone(zone) + timedelta(days=number) for number in range(len(counts.alerts))]
    alerts = Columns(
        title=f"{t.gettext('Alerts')}: {show_number(sum(counts.alerts), t)}",
        labels=tuple(format_date(day, "EEE d", locale=t.language) for day in days),
        values=counts.alerts,
        place=1,
        thousands=thousands(t),
    )
    bars = Bars(
        bars=tuple(topic_bar(each, t) for each in counts.topics[:_TOPICS]),
        legend=(t.gettext("alerts (change from the time before)"),),
    )
    first, last = (format_date(day, "d MMM", locale=t.language) for day in (days[0], days[-1]))
    panels = (alerts, bars) if counts.topics else (alerts,)
    title = t.gettext("The week {days}").format(days=f"{first} – {last}")
    return Chart(title=title, subtitle=locale.zone, panels=panels)

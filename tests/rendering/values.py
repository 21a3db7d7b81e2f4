"""Alerts and replies as tests vary and render them."""

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Self

from bot.locales.locale import Locale
from bot.models import StoredPost
from bot.models.alerts import Alert, AlertChange, ChangeKind, Duplicate
from bot.models.outgoing import Outgoing
from bot.rendering.alert import render_alert, render_change, render_confirmation
from tests.kit import alert_of

DATE = datetime(2021, 10, 4, 15, 39, tzinfo=UTC)
EDITED = AlertChange(kind=ChangeKind.EDITED)


def stored(number: int = 1, **changes: object) -> StoredPost:
    """Make a post of the archive; without another date, it was seen at the moment of its date."""
    date = changes.get("edit_date") or changes.get("date", DATE)
    known: dict[str, Any] = {
        **dict.fromkeys(field.name for field in fields(StoredPost)),
        "id": number,
        "channel_id": 7,
        "channel_title": "Вести",
        "message_id": number,
        "date": DATE,
        "text": "Сбой",
        "parts": (),
        "entities": (),
        "version_id": number,
        "is_current": True,
        "number": 1,
        "seen_at": date,
        "observed_by": "live",
    }
    return StoredPost(**known | changes)


@dataclass(frozen=True, kw_only=True)
class ShownAlert:
    """All that the message of an alert shows."""

    post: StoredPost
    alert: Alert
    duplicates: tuple[Duplicate, ...] = ()
    missing_files: int = 0

    def but(self, **changes: object) -> Self:
        """Change fields of the alert, or else of its post."""
        own = {name: changes.pop(name) for name in ("duplicates", "missing_files") if name in changes}
        if changes.pop("is_edited", False):
            changes["shown_version_id"] = self.alert.version_id + 1
        alert = {name: changes.pop(name) for name in [*changes] if name in Alert.__dataclass_fields__}
        if {"date", "edit_date"} & changes.keys():
            changes = {"seen_at": changes.get("edit_date") or changes.get("date", self.post.date)} | changes
        return replace(self, post=replace(self.post, **changes), alert=replace(self.alert, **alert), **own)

    def render(self, locale: Locale) -> Outgoing:
        return render_alert(self.alert, self.post, locale, duplicates=self.duplicates, missing_files=self.missing_files)


def shown_alert(post: StoredPost, **changes: object) -> ShownAlert:
    return ShownAlert(post=post, alert=alert_of(post)).but(**changes)


@dataclass(frozen=True, kw_only=True)
class ShownChange:
    """All that a reply to an alert shows."""

    post: StoredPost
    before: StoredPost | None = None
    change: AlertChange = EDITED

    def but(self, **changes: object) -> Self:
        """Change fields of the reply, or else of its post; `text_before` and `parts_before` are of the one before."""
        old = {name: changes.pop(f"{name}_before") for name in ("text", "parts") if f"{name}_before" in changes}
        before = replace(self.before or self.post, **old) if old else self.before
        own = {name: changes.pop(name) for name in [*changes] if name in AlertChange.__dataclass_fields__}
        return replace(self, post=replace(self.post, **changes), before=before, change=replace(self.change, **own))

    def render(self, locale: Locale) -> Outgoing:
        return render_change(self.change, self.post, self.before, locale)

    def confirm(self, locale: Locale) -> Outgoing:
        return render_confirmation(self.post, locale)

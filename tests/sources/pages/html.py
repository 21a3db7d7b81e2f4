"""Public pages as Telegram builds them, made small: frame, posts, albums, refusals and what a name belongs to."""

import json
from base64 import urlsafe_b64encode

CHANNEL = 1_500_000_001
RENDERED = 1_790_000_000
DATE = "2026-09-21T12:00:00+00:00"
LABEL = (
    '<div class="message_media_not_supported_wrap {more}">'
    '<div class="message_media_not_supported_label">{label}</div></div>'
)
OPEN_TELEGRAM = LABEL.format(more="", label="Please open Telegram to view this post")
FALLBACK = f'<div class="media_not_supported_cont">{OPEN_TELEGRAM}</div>'
SMILE = '<i class="emoji" style="background-image:url(\'//telegram.org/img/emoji/40/F09F9880.png\')"><b>😀</b></i>'


def view(message_id: int | str, channel_id: int = CHANNEL) -> str:
    said = {"c": -channel_id, "p": message_id, "t": RENDERED, "h": "f00d"}
    return urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


def words(text: str, name: str = "js-message_text") -> str:
    return f'<div class="tgme_widget_message_text {name}" dir="auto">{text}</div>'


def photo(link: str = "https://t.me/news/7", more: str = "") -> str:
    return f'<a class="tgme_widget_message_photo_wrap {more}" href="{link}" style="width:800px"></a>'


def album(*ids: int, name: str = "news") -> str:
    items = "".join(photo(f"https://t.me/{name}/{each}?single", "grouped_media_wrap") for each in ids)
    return f'<div class="tgme_widget_message_grouped_wrap">{items}</div>'


def preview(*, site: str, title: str, description: str) -> str:
    texts = {"site_name": site, "title": title, "description": description}
    shown = "".join(f'<div class="link_preview_{name}">{text}</div>' for name, text in texts.items())
    return f'<a class="tgme_widget_message_link_preview" href="https://example.org">{shown}</a>'


def post(  # noqa: PLR0913 - what a page shows of a post
    content: str,
    message_id: int = 7,
    *,
    name: str = "news",
    seen: str | None = "",
    meta: str = "",
    more: str = "",
    date: str = DATE,
    views: str = "12.5K",
    outside: str = "",
) -> str:
    shown = view(message_id) if seen == "" else seen
    data = f'data-view="{shown}"' if shown else ""
    return f"""<div class="tgme_widget_message_wrap js-widget_message_wrap">
      <div class="tgme_widget_message {more} js-widget_message" data-post="{name}/{message_id}" {data}>
        <div class="tgme_widget_message_user"><a href="https://t.me/{name}">N</a></div>
        <div class="tgme_widget_message_bubble">
          <div class="tgme_widget_message_author"><a class="tgme_widget_message_owner_name"><span>News</span></a></div>
          {content}
          <div class="tgme_widget_message_footer"><div class="tgme_widget_message_info">
            <span class="tgme_widget_message_views">{views}</span><span class="copyonly"> views</span>
            <span class="tgme_widget_message_meta">{meta}<a class="tgme_widget_message_date"
              href="https://t.me/{name}/{message_id}"><time datetime="{date}" class="time">12:00</time></a></span>
          </div></div>
        </div>{outside}
      </div></div>"""


def page(*posts: str, name: str = "news", head: str = "", before: str = "", title: str = "The News") -> str:
    return f"""<!DOCTYPE html><html><head><meta property="og:title" content="{title}">{head}</head>
      <body class="tgme_webpreview"><div class="tgme_channel_info_header_title"><span>{title}</span></div>
      <div class="tgme_channel_info_description">All the news<br/>of the day</div>
      <main class="tgme_main" data-url="/{name}"><section class="tgme_channel_history js-message_history">
      {before}{"".join(posts)}</section></main></body></html>"""


def more(before: object) -> str:
    return f'<div class="tgme_widget_message_centered"><a class="tme_messages_more" data-before="{before}"></a></div>'


def embed(content: str) -> str:
    return f'<html><body class="tgme_widget">{content}</body></html>'


def landing(*extra: str, heading: str = "View @news", title: str | None = "The News", rest: str = "") -> str:
    name = "" if title is None else f'<div class="tgme_page_title"><span>{title}</span></div>'
    lines = "".join(f'<div class="tgme_page_extra">{line}</div>' for line in extra)
    return (
        f"<html><head><title>Telegram: {heading}</title></head><body>"
        f'<div class="tgme_page">{name}{lines}{rest}</div></body></html>'
    )


PREVIEW_LINK = '<a class="tgme_page_context_link" href="/s/news">Preview channel</a>'

"""The frames around the blocks: a channel's page, an embedded post, and what a name shows."""

from telethon.tl import types as tl

from bot.sandbox.pages.selection import Page
from bot.sandbox.pages.text import HOST, escape, exact, noun, plain, rounded
from bot.sandbox.world.channels import Channel
from bot.sandbox.world.messages import Message
from bot.sandbox.world.peers import Account, Peer

_MAX_DESCRIPTION = 1000  # characters of a post, about
_KINDS = (("photo", tl.MessageMediaPhoto), ("file", tl.MessageMediaDocument), ("link", tl.MessageMediaWebPage))


def channel_page(chat: Channel, page: Page, blocks: list[str]) -> str:
    """Return a page of a channel's posts."""
    address = f"/s/{chat.username}"
    rels = [("prev", "before", page.older), ("next", "after", page.newer), ("canonical", *page.own)]
    rows = [f'<link rel="{rel}" href="{address}?{side}={at}">' for rel, side, at in rels if at is not None]
    wraps = [f'<div class="tgme_widget_message_wrap js-widget_message_wrap">{block}</div>' for block in blocks]
    shown = [_more(address, "before", page.older), *wraps, _more(address, "after", page.newer)]
    about = f'<div class="tgme_channel_info_description">{plain(chat.about)}</div>' if chat.about else ""
    return f"""<!DOCTYPE html>
<html>
  <head>
    <meta charset="utf-8">
    <title>{escape(chat.title)} – Telegram</title>
    {_open_graph(chat.title, chat.about)}
    {chr(10).join(rows)}
    <link href="//telegram.org/css/widget-frame.css?75" rel="stylesheet" media="screen">
  </head>
  <body class="widget_frame_base tgme_webpreview emoji_image thin_box_shadow tme_mode no_transitions">
    <header class="tgme_header search_collapsed">
      <div class="tgme_channel_info">
        <div class="tgme_channel_info_header">
          <i class="tgme_page_photo_image bgcolor2"><img src="https://cdn4.telesco.pe/file/{chat.id:x}.jpg"></i>
          <div class="tgme_channel_info_header_title_wrap">
            <div class="tgme_channel_info_header_title"><span dir="auto">{plain(chat.title)}</span></div>
            <div class="tgme_channel_info_header_labels"></div>
          </div>
          <div class="tgme_channel_info_header_username"><a href="{HOST}/{chat.username}">@{chat.username}</a></div>
        </div>
        <div class="tgme_channel_info_counters">{_counters(chat)}</div>
        {about}
      </div>
    </header>
<main class="tgme_main" data-url="/{chat.username}">
  <div class="tgme_container">
    <section class="tgme_channel_history js-message_history">
      {"".join(shown)}
    </section>
  </div>
</main>
    <script src="//telegram.org/js/telegram-web.js?14"></script>
  </body>
</html>
"""


def _more(address: str, side: str, at: int | str | None) -> str:
    if at is None:
        return ""
    return f"""<div class="tgme_widget_message_centered js-messages_more_wrap"><a href="{address}?{side}={at}" \
class="tme_messages_more js-messages_more" data-{side}="{at}"></a></div>"""


def _counters(chat: Channel) -> str:
    media = [type(message.media) for message in chat.kept.oldest_first()]
    counts = [("subscriber", len(chat.roster.members)), *((word, media.count(kind)) for word, kind in _KINDS)]
    return "".join(
        f'<div class="tgme_channel_info_counter"><span class="counter_value">{rounded(number)}</span> '
        f'<span class="counter_type">{noun(number, word)}</span></div>'
        for word, number in counts
        if number or word == "subscriber"
    )


def embed_page(body: str) -> str:
    """Return a page of one post."""
    return f"""<!DOCTYPE html>
<html>
  <head>
    <meta charset="utf-8">
    <title>Telegram Widget</title>
    <base target="_blank">
    <meta name="robots" content="noindex, nofollow" />
  </head>
  <body class="widget_frame_base tgme_widget body_widget_post emoji_image nodark">
    {body}
    <script src="//telegram.org/js/widget-frame.js?68"></script>
  </body>
</html>
"""


def embed_error(words: str) -> str:
    """Return the block that stands in the place of a post."""
    return f"""<div class="tgme_widget_message text_not_supported_wrap err_message js-widget_message">
  <div class="tgme_widget_message_user"><i class="tgme_widget_message_user_photo" data-content="!"></i></div>
  <div class="tgme_widget_message_bubble">
    <a class="tgme_widget_message_bubble_logo" href="//core.telegram.org/widgets"></a>
        <i class="tgme_widget_message_bubble_tail"></i>
    <div class="tgme_widget_message_error" dir="auto">{escape(words)}</div>
  </div>
</div>"""


def landing(name: str, peer: Peer | None, *, has_page: bool = False, post: Message | None = None) -> str:
    """Return what a name shows; with a post, its text describes the page. None as the peer: nobody has the name."""
    if isinstance(peer, Channel):
        about = post.text if post is not None and post.text else peer.about
        return _landing(f"View @{name}", peer.title, about, _card(peer, name, has_page=has_page))
    if isinstance(peer, Account) and peer.bot:
        about = peer.info.get("", {}).get("about", "")
        return _landing(f"Launch @{name}", peer.first_name, about, _person(peer, name, "Start Bot"))
    if isinstance(peer, Account):
        about = f"You can contact @{name} right away."
        return _landing(f"Contact @{name}", peer.first_name, about, _person(peer, name, "Send Message"))
    return contact(name)


def contact(name: str) -> str:
    """Return what the pages show for a free name, and where they want fewer requests also for any other."""
    link = f'<a class="tgme_username_link" href="tg://resolve?domain={name}">@{name}</a>'
    body = f"""<div class="tgme_page_icon">
  <i class="tgme_icon_user"></i>
</div>
<div class="tgme_page_description">
  If you have <strong>Telegram</strong>, you can contact {link} right away.
</div>"""
    title = f"Contact @{name}"
    return _landing(title, f"Telegram: {title}", "", body, robots='<meta name="robots" content="noindex, nofollow">')


def _card(chat: Channel, name: str, *, has_page: bool) -> str:
    members = len(chat.roster.members)
    figures = f"{exact(members)} {noun(members, 'subscriber')}"
    if chat.megagroup:
        figures = f"{exact(members)} {noun(members, 'member')}, {exact(members)} online"
    about = f'<div class="tgme_page_description" dir="auto">{plain(chat.about)}</div>' if chat.about else ""
    preview = f"""<div class="tgme_page_context_link_wrap"><a class="tgme_page_context_link" href="/s/{name}">\
Preview channel</a></div>"""
    return f"""<div class="tgme_page_title" dir="auto">
  <span dir="auto">{plain(chat.title)}</span>
</div>
<div class="tgme_page_extra">{figures}</div>
{about}
<div class="tgme_page_action">
  <a class="tgme_action_button_new shine" href="tg://resolve?domain={name}">View in Telegram</a>
</div>
{preview if has_page else ""}"""


def _person(account: Account, name: str, action: str) -> str:
    users = '<div class="tgme_page_extra">1 monthly user</div>' if account.bot else ""
    return f"""<div class="tgme_page_title"><span dir="auto">{plain(account.first_name)}</span></div>
<div class="tgme_page_extra">
  @{name}
</div>
{users}
<div class="tgme_page_action">
  <a class="tgme_action_button_new shine" href="tg://resolve?domain={name}">{action}</a>
</div>"""


def _landing(title: str, name: str, about: str, body: str, *, robots: str = "") -> str:
    return f"""<!DOCTYPE html>
<html>
  <head>
    <meta charset="utf-8">
    <title>Telegram: {escape(title)}</title>
    {robots}{_open_graph(name, about)}
  </head>
  <body class="no_transition">
    <div class="tgme_page_wrap">
      <div class="tgme_body_wrap">
        <div class="tgme_page">
          {body}
        </div>
      </div>
    </div>
  </body>
</html>
"""


def _open_graph(title: str, about: str) -> str:
    short = about if len(about) <= _MAX_DESCRIPTION else about[:_MAX_DESCRIPTION] + "…"
    flat = escape(short.replace("\n", "\t"))
    return f"""<meta property="og:title" content="{escape(title)}">
<meta property="og:site_name" content="Telegram">
<meta property="og:description" content="{flat}">"""

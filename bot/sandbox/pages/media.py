"""The media of a post as the pages show them: pictures by their address, files by their name alone."""

from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.pages.text import escape, plain

UNSUPPORTED = "This media is not supported in the widget"
_CDN = "https://cdn4.telesco.pe/file"
_SHOWN = (
    *(tl.MessageMediaPhoto, tl.MessageMediaDocument, tl.MessageMediaGeo, tl.MessageMediaPoll),
    *(tl.MessageMediaWebPage, tl.MessageMediaEmpty),
)
_TOO_BIG = 20_000_000  # bytes of a video that the pages do not play
_BROWSER = "This media is not supported in your browser"


def unsupported(label: str, link: str = "", *, beside: bool = False) -> str:
    """Return the box that stands where the pages show nothing, or `beside` what they do; in a player it is no link."""
    view = f'<a href="{link}" class="message_media_view_in_telegram">VIEW IN TELEGRAM</a>'
    if not link:
        view = '<span class="message_media_view_in_telegram">VIEW IN TELEGRAM</span>'
    return f"""<div class="message_media_not_supported_wrap{" media_not_supported_cont" if beside else ""}">
  <div class="message_media_not_supported">
    <div class="message_media_not_supported_label">{label}</div>
    {view}
  </div>
</div>"""


def is_shown(media: TLObject | None) -> bool:
    """Tell whether the pages show a post that carries this."""
    return media is None or isinstance(media, _SHOWN)


def kind_of(media: TLObject | None) -> str:
    """Return the class of the message around media of some kinds; nothing for others."""
    if not isinstance(media, tl.MessageMediaDocument):
        return ""
    if _attribute(media.document, tl.DocumentAttributeSticker):
        return " sticker_media no_bubble"
    video = _attribute(media.document, tl.DocumentAttributeVideo)
    return " roundvideo_media no_bubble" if video and video.round_message else ""


def word_for(media: TLObject | None) -> str:
    """Return the word that stands for media where a reply names it."""
    if isinstance(media, tl.MessageMediaPhoto):
        return "Photo"
    is_video = isinstance(media, tl.MessageMediaDocument) and _attribute(media.document, tl.DocumentAttributeVideo)
    return "Video" if is_video else "Message"


def single(media: TLObject | None, link: str) -> str:
    """Return the media of one post; a link's preview stands elsewhere."""
    if isinstance(media, tl.MessageMediaPhoto):
        number = media.photo.id
        high, low = divmod(number, 1 << 32)
        return f"""<a class="tgme_widget_message_photo_wrap {number} {high}_{low}" href="{link}" \
style="width:800px;background-image:url('{_CDN}/{_token(number)}.jpg')">
  <div class="tgme_widget_message_photo" style="padding-top:56.25%"></div>
</a>"""
    if isinstance(media, tl.MessageMediaDocument):
        return _document(media.document, link)
    if isinstance(media, tl.MessageMediaGeo):
        at = f"{media.geo.lat},{media.geo.long}"
        return f"""<a class="tgme_widget_message_location_wrap" href="https://maps.google.com/maps?q={at}&ll={at}&z=16">
  <div class="tgme_widget_message_location" style="background-image:url('https://static-maps.yandex.ru/1.x/?l=map')"></div>
</a>"""
    return _poll(media, link) if isinstance(media, tl.MessageMediaPoll) else ""


def item(media: TLObject, link: str) -> str:
    """Return one item of an album, which is known by its link alone."""
    if isinstance(media, tl.MessageMediaPhoto):
        return f"""<a class="tgme_widget_message_photo_wrap grouped_media_wrap blured js-message_photo" \
style="left:0px;top:0px;width:225px;height:311px;background-image:url('{_CDN}/{_token(media.photo.id)}.jpg')" \
data-ratio="0.7225" href="{link}?single">
  <div class="grouped_media_helper" style="top:0;bottom:0;left:114px;right:114px;">
    <div class="tgme_widget_message_photo grouped_media" style="left:0;right:0;top:-1px;bottom:0px;"></div>
  </div>
</a>"""
    return single(media, f"{link}?single").replace("_video_player ", "_video_player grouped_media_wrap blured ", 1)


def link_preview(media: TLObject | None) -> str:
    """Return the preview of a link under a post's text."""
    page = getattr(media, "webpage", None)
    if not isinstance(page, tl.WebPage):
        return ""
    parts = [("site_name accent_color", page.site_name), ("title", page.title), ("description", page.description)]
    shown = [f'<div class="link_preview_{name}" dir="auto">{plain(text)}</div>' for name, text in parts if text]
    return f'<a class="tgme_widget_message_link_preview" href="{escape(page.url)}">{"".join(shown)}</a>'


def _document(document: tl.Document, link: str) -> str:
    if _attribute(document, tl.DocumentAttributeSticker):
        return _sticker(document, link)
    if (video := _attribute(document, tl.DocumentAttributeVideo)) is not None:
        return _round_video(document, video, link) if video.round_message else _video(document, video, link)
    audio = _attribute(document, tl.DocumentAttributeAudio)
    return _voice(document, audio, link) if audio and audio.voice else _file(document, audio, link)


def _video(document: tl.Document, video: tl.DocumentAttributeVideo, link: str) -> str:
    is_gif = _attribute(document, tl.DocumentAttributeAnimated) is not None
    is_big = document.size > _TOO_BIG
    muted = " preload muted autoplay loop playsinline" if is_gif else ""
    played = f"""
  <video src="{_source(document, "mp4")}" class="tgme_widget_message_video js-message_video" \
width="100%" height="100%"{muted}></video>"""
    length = f"""<div class="message_video_play js-message_video_play"></div>
<time class="message_video_duration js-message_video_duration">{_clock(video.duration)}</time>"""
    return f"""<a class="tgme_widget_message_video_player {"not_supported " * is_big}js-message_video_player" \
href="{link}">\
<i class="tgme_widget_message_video_thumb" style="background-image:url('{_CDN}/{_token(document.id)}')"></i>

<div class="tgme_widget_message_video_wrap" style="width:1616px;padding-top:56.25%">{"" if is_big else played}
</div>
{"" if is_gif else length}
{unsupported("Media is too big" if is_big else _BROWSER)}</a>"""


def _round_video(document: tl.Document, video: tl.DocumentAttributeVideo, link: str) -> str:
    return f"""<div class="tgme_widget_message_roundvideo_player js-message_roundvideo_player">
  <div class="tgme_widget_message_roundvideo_wrap">
    <i class="tgme_widget_message_roundvideo_thumb" style="background-image:url('{_CDN}/{_token(document.id)}')"></i>
    <video class="tgme_widget_message_roundvideo js-message_roundvideo" src="{_source(document, "mp4")}" \
width="100%" height="100%" preload muted autoplay loop playsinline></video>
  </div>
  {unsupported(_BROWSER, link)}
  <time class="tgme_widget_message_roundvideo_duration js-message_roundvideo_duration">{_clock(video.duration)}</time>
</div>"""


def _voice(document: tl.Document, audio: tl.DocumentAttributeAudio, link: str) -> str:
    return f"""<a class="tgme_widget_message_voice_player js-message_voice_player" href="{link}">
  <audio class="tgme_widget_message_voice js-message_voice" src="{_source(document, "ogg")}" data-ogg width="100%" \
data-waveform="0,1,2,15,19,31"></audio>
  <div class="tgme_widget_message_voice_wrap">
    <time class="tgme_widget_message_voice_duration js-message_voice_duration">{_clock(audio.duration)}</time>
  </div>
</a>"""


def _file(document: tl.Document, audio: tl.DocumentAttributeAudio | None, link: str) -> str:
    named = _attribute(document, tl.DocumentAttributeFilename)
    title = (audio and audio.title) or (named and named.file_name) or "file"
    extra = audio.performer or "" if audio else _size(document.size)
    return f"""<a class="tgme_widget_message_document_wrap" href="{link}">
  <div class="tgme_widget_message_document_icon accent_bg{" audio" if audio else ""}"></div>
  <div class="tgme_widget_message_document">
    <div class="tgme_widget_message_document_title accent_color" dir="auto">{plain(title)}</div>
    <div class="tgme_widget_message_document_extra" dir="auto">{plain(extra)}</div>
  </div>
</a>"""


def _sticker(document: tl.Document, link: str) -> str:
    return f"""{unsupported(_BROWSER, link, beside=True)}
<div class="tgme_widget_message_sticker_wrap media_supported_cont">\
<i class="tgme_widget_message_sticker js-sticker_image" style="width:256px;" data-webp="{_source(document, "webp")}">\
<div style="padding-top:100%"></div></i></div>"""


def _poll(media: tl.MessageMediaPoll, link: str) -> str:
    poll, results = media.poll, {each.option: each for each in media.results.results or ()}
    most = max((each.voters for each in results.values()), default=0) or 1
    voters = sum(each.voters for each in results.values()) or 1
    options = []
    for answer in poll.answers:
        votes = results[answer.option].voters if answer.option in results else 0
        options.append(f"""<div class="tgme_widget_message_poll_option">
  <div class="tgme_widget_message_poll_option_percent">{100 * votes // voters}%</div>
  <div class="tgme_widget_message_poll_option_value">
    <div class="tgme_widget_message_poll_option_text">{plain(answer.text.text)}</div>
    <div class="tgme_widget_message_poll_option_bar accent_bg" style="width:{100 * votes // most}%"></div>
  </div>
</div>""")
    names = ("" if poll.public_voters else "Anonymous ") + ("Quiz" if poll.quiz else "Poll")
    return f"""<div class="tgme_widget_message_poll js-poll{" multiple" if poll.multiple_choice else ""}">
  <div class="tgme_widget_message_poll_question">{plain(poll.question.text)}</div>
  <div class="tgme_widget_message_poll_type">{names}</div>
  <a class="tgme_widget_message_poll_options" href="{link}">{"".join(options)}</a>
</div>"""


def _attribute(document: tl.Document, kind: type[TLObject]) -> TLObject | None:
    return next((each for each in document.attributes if isinstance(each, kind)), None)


def _token(number: int) -> str:
    return f"{number:016x}"


def _source(document: tl.Document, suffix: str) -> str:
    return f"{_CDN}/{document.id & 0xFFFFFFFFFF:010x}.{suffix}?token={_token(document.access_hash)}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _size(count: int) -> str:
    size, unit = next(((size, unit) for size, unit in ((2**20, "MB"), (2**10, "KB")) if count >= size), (1, "B"))
    return f"{count / size:.1f} {unit}" if size > 1 else f"{count} B"

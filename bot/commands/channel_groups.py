"""/groups: the channel groups, what each holds, and their channels in and out by taps; and all posts of a place.

A group belongs to the instance, as channels do: whoever may follow channels may change it.
"""

from dataclasses import replace

from bot.commands.context import CommandError, Context, Reply, Request, change, message, remembered, say, writes
from bot.commands.enlistment import feed_button, finders_of, group_name, grouping, has_feed, others_concerned, set_feed
from bot.commands.keyboards import MOST_SWITCHES
from bot.commands.lookup import need_channel, show_topic
from bot.commands.questions import ask
from bot.commands.registry import Section, command, example, tap
from bot.commands.rights import REFUSALS, Need
from bot.commands.undo import undo_button
from bot.locales import N_
from bot.models.acts import ChannelGroupDeleted, ChannelGroupRenamed
from bot.models.outgoing import Button, ButtonRows, Outgoing
from bot.models.topics import quoted
from bot.store import acts, channel_groups, follows, topics
from bot.store.acts import Rows
from bot.store.channel_groups import ChannelGroup, Directory
from bot.store.channels import Channel
from bot.store.database import Reader, Transaction
from bot.store.follows import FollowState
from bot.store.topics import Topic
from bot.text.buttons import CHANNEL, button, rows_of, switch
from bot.text.markup import Text, bold, code, one_line
from bot.text.pages import page_of

PAGE = 24  # channels on a page
_LABEL, _TITLE = 30, 60  # UTF-16 units of a title on a button, and in a line
_SHOWN = 30  # channels of a group in its text
_PLACE = rf"(c{CHANNEL}|g\d{{1,15}})"  # a channel by its id, or a channel group by that of its row


@command("groups", Section.CHANNELS, 4, Need.LOOK, N_("groups of channels"), usage=N_("name"))
@example("/groups", N_("the channel groups; tap one to add or remove channels"))
@example(N_("/groups Regulators"), N_("one group, or a new one"))
@example(N_("/groups Regulators: Supervision"), N_("a new name; topics limited to it keep working"))
@writes
async def groups(request: Request, context: Context, tx: Transaction) -> Reply:
    """List the groups, show one, make one, or rename one."""
    t, typed = context.t, request.argument.strip()
    if not typed:
        return Reply(messages=(await _overview(tx, context),))
    before, colon, name = typed.partition(":")
    group = await _find(tx, before if colon else typed, context)
    if colon and group is not None:
        return await _rename(context, tx, group, name)
    if group is not None:
        return Reply(messages=(await _screen(tx, context, group),))
    name = group_name(typed.removeprefix("+"), t)
    if not context.may(Need.INSTANCE):
        raise CommandError(t.gettext("There is no group «{name}». See /groups."), name=name)
    if typed.startswith("+"):  # somebody was asked for the name
        group = await channel_groups.make(tx, name)
        return Reply(messages=(await _members_screen(tx, context, group, 0),))
    row = (button(t.gettext("Create it"), "newgroup", request.key),)
    reply = say(t.gettext("There is no group «{name}» yet."), (row,), name=bold(name))
    return Reply(messages=reply.messages, memory=name)


async def _find(db: Reader, typed: str, context: Context) -> ChannelGroup | None:
    """Return the group of a name, or of a number behind `#`, as an answer that was asked for names it.

    Raises CommandError where there is no group of the number any more.
    """
    name = typed.strip()
    if name.startswith("#") and name[1:].isdecimal():
        return await _group(db, name[1:16], context)
    return await channel_groups.find(db, name)


@tap("groups", Need.LOOK, r"\d{0,3}")
async def back_to_groups(request: Request, context: Context) -> Reply:
    """Show the list again, or another page of it."""
    return Reply(edit=await _overview(context.database, context, int(request.argument or 0)))


@tap("newgroup", Need.INSTANCE, r"[\w-]{0,40}")
@writes
async def new_group(request: Request, context: Context, tx: Transaction) -> Reply:
    """Make the group of a name that was typed; without one, ask for the name."""
    t = context.t
    if not request.argument:
        text = await ask(tx, request, context, "groups", before="+", subject=t.gettext("New group"))
        heading = Text().line(t.gettext("What should the group be called?"))
        return change(heading.join(text), ((button(t.gettext("Back"), "groups"),),))
    name = group_name(await remembered(tx, context, request.argument), t)
    group = await channel_groups.make(tx, name)
    return Reply(edit=await _members_screen(tx, context, group, 0))


@tap("group", Need.LOOK, r"\d{1,15}")
async def show_group(request: Request, context: Context) -> Reply:
    """Show a group."""
    group = await _group(context.database, request.argument, context)
    return Reply(edit=await _screen(context.database, context, group))


@tap("members", Need.INSTANCE, r"\d{1,15}:\d{1,3}")
async def show_members(request: Request, context: Context) -> Reply:
    """Show a page of the followed channels as switches of a group."""
    number, page = request.argument.split(":")
    group = await _group(context.database, number, context)
    return Reply(edit=await _members_screen(context.database, context, group, int(page)))


@tap("ingroup", Need.INSTANCE, rf"\d{{1,15}}:{CHANNEL}:(on|off):(\d{{1,3}}|c)(:sure)?")
@writes
async def put_in(request: Request, context: Context, tx: Transaction) -> Reply:
    """Put a channel into a group or take it out, once asked where others lose alerts by that.

    The button names the page to draw again; c: the channel's groups.
    """
    number, channel_number, state, page, *sure = request.argument.split(":")
    group = await _group(tx, number, context)
    channel = await need_channel(tx, int(channel_number), context)
    finders = await finders_of(tx, channel)
    others = await others_concerned(tx, context, group, finders)
    if others and state == "off" and not sure:
        t = context.t
        line = t.ngettext(
            "Take {channel} out of «{name}»? That concerns {n} other chat, by its topics or mutes.",
            "Take {channel} out of «{name}»? That concerns {n} other chats, by their topics or mutes.",
            len(others),
        )
        back = ("groups_of", channel.id) if page == "c" else ("members", group.id, page)
        row = (
            button(t.gettext("Take it out"), "ingroup", request.argument, "sure"),
            button(t.gettext("Keep it"), *back),
        )
        return change(line, (row,), channel=bold(channel.title), name=group.name, n=len(others))
    async with grouping(tx, context, group, (channel.title,), added=state == "on", finders=finders) as recording:
        await (channel_groups.add if state == "on" else channel_groups.take_out)(tx, group.id, channel.id)
    undo = ((undo_button(recording.id, context.t),),) if others else ()
    if page == "c":
        return Reply(edit=await _groups_of_screen(tx, context, channel, undo))
    return Reply(edit=await _members_screen(tx, context, group, int(page), undo))


@tap("groups_of", Need.INSTANCE, CHANNEL)
async def show_groups_of(request: Request, context: Context) -> Reply:
    """Show all groups as switches of a channel."""
    channel = await need_channel(context.database, int(request.argument), context)
    return Reply(edit=await _groups_of_screen(context.database, context, channel))


@tap("regroup", Need.INSTANCE, r"\d{1,15}")
@writes
async def ask_name(request: Request, context: Context, tx: Transaction) -> Reply:
    """Ask for another name of a group."""
    t, group = context.t, await _group(tx, request.argument, context)
    text = await ask(tx, request, context, "groups", before=f"#{group.id}: ", subject=group.name)
    heading = Text().line(t.gettext("What should «{name}» be called?"), name=bold(group.name))
    return change(heading.join(text), ((button(t.gettext("Back"), "group", group.id),),))


async def _rename(context: Context, tx: Transaction, group: ChannelGroup, typed: str) -> Reply:
    t = context.t
    if not context.may(Need.INSTANCE):
        raise CommandError(t.gettext(REFUSALS[Need.INSTANCE]))
    name = group_name(typed, t)
    other = await channel_groups.find(tx, name)
    if other is not None and other.id != group.id:
        raise CommandError(t.gettext("There is already a group «{name}»."), name=other.name)
    limited = await channel_groups.topics_limited_to(tx, group)
    act = ChannelGroupRenamed(before=group.name, group=name)
    named = [
        Rows(table, key, each) for table, key in (("topics", "id"), ("topic_versions", "topic_id")) for each in limited
    ]
    rows = (Rows("channel_groups", "id", group.id), *named)
    others = await others_concerned(tx, context, group, None)
    async with acts.recorded(tx, act, context.actor, *rows, now=context.now, concerned=others) as recording:
        await channel_groups.rename(tx, group, name)
    screen = await _screen(tx, context, await _group(tx, str(group.id), context))
    return Reply(messages=(replace(screen, buttons=(*screen.buttons, (undo_button(recording.id, t),))),))


@tap("ungroup", Need.INSTANCE, r"\d{1,15}(:sure)?")
@writes
async def delete(request: Request, context: Context, tx: Transaction) -> Reply:
    """Delete a group, once that is asked; its channels are still followed."""
    number, _, sure = request.argument.partition(":")
    t, group = context.t, await _group(tx, number, context)
    others = await others_concerned(tx, context, group, None)
    if not sure:
        text = Text().line(t.gettext("Delete the group «{name}»? Its channels are still followed."), name=group.name)
        for topic in await _limited_to(tx, group, context):
            line = t.gettext("{topic} is limited to it and will find nothing there.")
            text.line(line, topic=show_topic(topic, t))
        if others:
            line = t.ngettext("That concerns {n} other chat.", "That concerns {n} other chats.", len(others))
            text.line(line, n=len(others))
        row = (
            button(t.gettext("Delete"), "ungroup", group.id, "sure"),
            button(t.gettext("Keep it"), "group", group.id),
        )
        return change(text, (row,))
    rows = [Rows(table, "channel_group_id", group.id) for table in ("mutes", "channel_group_members")]
    act = ChannelGroupDeleted(group=group.name)
    changing = (*rows, Rows("channel_groups", "id", group.id))
    async with acts.recorded(tx, act, context.actor, *changing, now=context.now, concerned=others) as recording:
        await channel_groups.delete(tx, group.id)
    undo = (undo_button(recording.id, t),)
    return change(t.gettext("The group «{name}» has been deleted."), (undo,), name=group.name)


@tap("feed", Need.CHAT, rf"{_PLACE}:(on|off)")
@writes
async def switch_feed(request: Request, context: Context, tx: Transaction) -> Reply:
    """Let this chat get every post of a group, on its screen, or of a channel that was just followed."""
    place, _, state = request.argument.partition(":")
    if place.startswith("g"):
        group = await _group(tx, place[1:], context)
        await set_feed(tx, context, group.name, group.name, is_on=state == "on")
        return Reply(edit=await _screen(tx, context, group))
    channel = await need_channel(tx, int(place[1:]), context)
    t, topic = context.t, await set_feed(tx, context, str(channel.id), channel.title, is_on=state == "on")
    if state == "off":
        return change(t.gettext("{name}: no longer sent to this chat."), name=show_topic(topic, t))
    rows = ((feed_button("feed", place, t, is_on=True),),)
    return say(t.gettext("{name}: now sent to this chat."), rows, name=show_topic(topic, t))


async def _group(db: Reader, number: str, context: Context) -> ChannelGroup:
    group = await channel_groups.get(db, int(number))
    if group is None:
        raise CommandError(context.own.gettext("This group no longer exists."))
    return group


async def _limited_to(db: Reader, group: ChannelGroup, context: Context) -> list[Topic]:
    """Return the topics that are limited to a group, of those that this chat sees."""
    limited = await channel_groups.topics_limited_to(db, group)
    return [topic for topic in await topics.all_topics(db, context.viewer) if topic.id in limited]


async def _overview(db: Reader, context: Context, number: int = 0) -> Outgoing:
    t, directory = context.t, await Directory.load(db, context.viewer)
    text = Text().line(t.gettext("Groups of channels, for topics, searches and mutes: {example}"), example=code("in:…"))
    if not directory.groups:
        text.line().line(t.gettext("There are none yet."))
        text.line(t.gettext("You can also write: {example}"), example=code(t.gettext("/follow @name group:Regulators")))
    page = page_of(directory.groups, number, PAGE)
    opening = [
        button(f"{one_line(each.name, _LABEL)} · {len(directory.members(each.id))}", "group", each.id)
        for each in page.items
    ]
    rows = [*rows_of(opening, 1), *page.turns("groups")]
    if context.offers(Need.INSTANCE):
        rows.append((button(t.gettext("New group"), "newgroup", ""),))
    return message(text, tuple(rows))


async def _screen(db: Reader, context: Context, group: ChannelGroup) -> Outgoing:
    t, directory = context.t, await Directory.load(db, context.viewer)
    members = directory.members(group.id)
    count = t.ngettext("{n} channel", "{n} channels", len(members)).format(n=len(members))
    text = Text().add(bold(group.name)).add(f" · {count}\n")
    for each in members[:_SHOWN]:
        title = one_line(each.title, _TITLE)
        text.add("• ", title if each.is_followed else t.gettext("{title} (not followed)").format(title=title), "\n")
    if len(members) > _SHOWN:
        text.add(f"+{len(members) - _SHOWN}\n")
    requests = await follows.all_follows(db, context.viewer)
    waiting = [each for each in requests if each.state is FollowState.WANTED and group.id in each.channel_groups]
    if waiting:
        text.line(t.gettext("Not checked yet: {n}."), n=len(waiting))
    text.line().line(t.gettext("In searches and topics: {example}"), example=code(f"in:{quoted(group.name)}"))
    for topic in await _limited_to(db, group, context):
        if not topic.is_feed:
            text.line(t.gettext("{topic} is limited to it."), topic=show_topic(topic, t))
    is_on = await has_feed(db, group.name, context.chat.id)
    rows: list[tuple[Button, ...]] = []
    if context.offers(Need.CHAT):
        mute = button(t.gettext("Mute"), "mute", f"g{group.id}")
        rows.append((feed_button("feed", f"g{group.id}", t, is_on=is_on), mute))
    if context.offers(Need.INSTANCE):
        rows.append((button(t.gettext("Add and remove channels"), "members", group.id, 0),))
        rows.append(
            (button(t.gettext("Rename"), "regroup", group.id), button(t.gettext("Delete"), "ungroup", group.id))
        )
    return message(text, (*rows, (button(t.gettext("All groups"), "groups"),)))


async def _members_screen(
    db: Reader, context: Context, group: ChannelGroup, number: int, undo: ButtonRows = ()
) -> Outgoing:
    """Draw a page of the followed channels as switches, those of the group first on the first one."""
    t, directory = context.t, await Directory.load(db, context.viewer)
    inside = {each.id for each in directory.members(group.id)}
    shown = sorted(directory.followed, key=lambda each: each.title.casefold())
    page = page_of(shown, number, PAGE)
    switches = [
        _switch(each.title, group.id, each.id, is_in=each.id in inside, page=page.number) for each in page.items
    ]
    text = Text().line(
        t.gettext("Tap the channels that belong to «{name}»: {n} now."), name=bold(group.name), n=len(inside)
    )
    if not shown:
        text.line(t.gettext("No channels are followed yet."))
    rows = (
        *rows_of(switches, 2),
        *page.turns("members", group.id),
        *undo,
        (button(t.gettext("Done"), "group", group.id),),
    )
    return message(text, rows)


async def _groups_of_screen(db: Reader, context: Context, channel: Channel, undo: ButtonRows = ()) -> Outgoing:
    """Draw all groups as switches of a channel."""
    t, directory = context.t, await Directory.load(db, context.viewer)
    inside = {each.id for each in directory.groups_of(channel.id)}
    switches = [
        _switch(each.name, each.id, channel.id, is_in=each.id in inside, page="c")
        for each in directory.groups[:MOST_SWITCHES]
    ]
    text = Text().line(
        t.gettext("Groups of {channel}. Tap one to add the channel or to remove it."), channel=bold(channel.title)
    )
    last = (button(t.gettext("New group"), "newgroup", ""), button(t.gettext("Back"), "channel", channel.id))
    return message(text, (*rows_of(switches, 2), *undo, last))


def _switch(title: str, group_id: int, channel_id: int, *, is_in: bool, page: int | str) -> Button:
    data = ("ingroup", group_id, channel_id, "off" if is_in else "on", page)
    return switch(one_line(title, _LABEL), *data, is_on=is_in)

"""Exchanges of several messages: what somebody writes next completes a command; /cancel or another command ends it."""

from dataclasses import replace

from bot.commands.context import Context, Effect, Reply, Request, message, reply_of, say, writes
from bot.commands.registry import Section, command, example
from bot.commands.rights import Need
from bot.locales import N_, Translator
from bot.store import questions
from bot.store.database import Transaction
from bot.store.questions import Question
from bot.text.markup import LIMIT, Text


async def ask(  # noqa: PLR0913 - the command that the answer completes, and what it is about
    tx: Transaction,
    request: Request,
    context: Context,
    name: str,
    *,
    before: str = "",
    after: str = "",
    subject: str,
) -> Text:
    """Let the next message of who tapped complete the command `name`; return the sentences that ask for it.

    They belong into the message whose button was tapped: in a group, a bot is shown answers to its messages alone.
    """
    chat, home = context.chat, context.home
    if home is not None:
        name, before = "for", f"#{chat.id} /{name} {before}"
    question = Question(
        chat_id=(home or chat).id,
        person_id=context.person_id,
        command=name,
        before=before,
        after=after,
        subject=subject,
        message_id=request.message_id,
        asked_at=context.now,
    )
    await questions.ask(tx, question)
    t, line = context.t, context.t.gettext("Reply to this message with your answer.")
    if context.private or home is not None:
        line = t.gettext("Write it now, in one message.")
    return Text().add(line, " ", t.gettext("/cancel stops this."))


def is_answer(question: Question, request: Request) -> bool:
    """Tell whether a message answers a question; a forwarded post or a picture without words never does."""
    is_said = not request.tapped and not request.command and request.origin is None and bool(request.argument)
    return is_said and (request.private or request.reply_to == question.message_id)


def completed(question: Question, request: Request) -> Request:
    """Return the request that an answer makes of the command."""
    return replace(request, command=question.command, argument=f"{question.before}{request.argument}{question.after}")


def ends(question: Question, request: Request) -> bool:
    """Tell whether a request ends a question without an answer: any command, or a tap under the question itself."""
    if request.tapped:
        return request.message_id == question.message_id
    return bool(request.command) and request.command != "cancel"


def closing(answer: Reply | Effect, question: Question, request: Request, t: Translator) -> Effect:
    """Close a question in the transaction of an answer; where a command gave it up, this is said."""
    is_given_up = not request.tapped and request.command != question.command

    async def effect(tx: Transaction) -> Reply:
        await questions.close(tx, question)
        reply = await reply_of(tx, answer)
        return _after(_cancelled(question, t), reply) if is_given_up else reply

    return effect


def _after(line: str, reply: Reply) -> Reply:
    """Put a line before what is said."""
    if not reply.messages:
        return replace(reply, messages=(message(line),))
    first = reply.messages[0]
    text = Text().add(line, "\n\n").formatted(first.text, first.entities)
    if len(text) > LIMIT:
        return replace(reply, messages=(message(line), *reply.messages))
    return replace(reply, messages=(message(text, first.buttons), *reply.messages[1:]))


def _cancelled(question: Question, t: Translator) -> str:
    return t.gettext("I no longer wait for your answer: «{subject}». Nothing was changed.").format(
        subject=question.subject
    )


@command("cancel", Section.CHAT, 14, Need.LOOK, N_("cancel what I asked you for"))
@example("/cancel", N_("I stop waiting for your answer; your next message is a search again"))
@writes
async def cancel(request: Request, context: Context, tx: Transaction) -> Reply:
    """End the question to who speaks."""
    question = await questions.open_to(tx, context.chat.id, request.person_id, context.now)
    if question is None:
        return say(context.t.gettext("There is nothing to cancel."))
    await questions.close(tx, question)
    return say(_cancelled(question, context.t))

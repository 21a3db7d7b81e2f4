import re

from bot.models import Entity, Forward
from bot.models.outgoing import Outgoing
from bot.text.markup import LIMIT
from tests.rendering.test_alert import LONDON, NOW, POST, styled


class TestLongPosts:
    OPENING = "Утром открылась коллегия. " * 20
    MIDDLE = "Днём случился сбой на узле. Связь пропала.\n"
    REST = "Потом говорили о другом. " * 40
    TEXT = f"{OPENING}\n{MIDDLE}{REST}\nВечером сбой устранили."
    SPANS = tuple((found.start(), found.end()) for found in re.finditer("сбой", TEXT))

    def test_show_the_passages_around_all_that_matched(self) -> None:
        outgoing = POST.but(text=self.TEXT, spans=self.SPANS).render(LONDON)
        body = outgoing.text.partition("\n")[2].partition("\n\n")[0]
        assert body == "… Днём случился сбой на узле. Связь пропала.\n…\nВечером сбой устранили."
        assert styled(outgoing, "bold") == ["Outages", "сбой", "сбой"]

    def test_show_near_passages_as_one(self) -> None:
        text = f"{self.OPENING}\nСбой в банке.\nБанк молчит.\nСбой в сети.\n{self.REST}"
        spans = tuple((found.start(), found.end()) for found in re.finditer("Сбой", text))
        outgoing = POST.but(text=text, spans=spans).render(LONDON)
        assert "\n… Сбой в банке.\nБанк молчит.\nСбой в сети. …\n\n" in outgoing.text

    def test_show_whole_sentences_of_a_long_paragraph(self) -> None:
        text = f"{self.REST}Днём случился сбой. {self.REST}"
        start = text.index("сбой")
        body = POST.but(text=text, spans=((start, start + 4),)).render(LONDON).text.split("\n")[1]
        assert body.startswith("… Днём случился сбой. Потом говорили")
        assert body.endswith("о другом. …")

    def test_keep_their_formatting_where_it_is_shown(self) -> None:
        start = self.TEXT.index("узле")
        links = (
            Entity(kind="text_url", offset=start, length=4, value="https://example.org/"),
            Entity(kind="blockquote", offset=self.TEXT.index("Связь"), length=300),
            Entity(kind="italic", offset=0, length=10),
        )
        outgoing = POST.but(text=self.TEXT, entities=links, spans=self.SPANS).render(LONDON)
        assert styled(outgoing, "text_url")[1:] == ["узле"]
        assert styled(outgoing, "blockquote") == ["Связь пропала."]
        assert not styled(outgoing, "italic")

    def test_show_their_beginning_where_nothing_in_them_matched(self) -> None:
        outgoing = POST.but(text=self.TEXT, spans=()).render(LONDON)
        assert outgoing.text.split("\n")[1].startswith("Утром открылась коллегия.")
        assert 900 < len(outgoing.text) < 1100
        assert outgoing.text.endswith("…\n\n16:39")

    def test_with_many_matches_show_the_first_ones_within_the_limit(self) -> None:
        text = "".join(f"Абзац {n}: на узле связи случился сбой, его чинят.\n{'Прочее. ' * 12}\n" for n in range(200))
        spans = tuple((found.start(), found.end()) for found in re.finditer("сбой", text))
        outgoing = POST.but(text=text, spans=spans).render(LONDON)
        passages = outgoing.text.partition("\n")[2].partition(" …\n\n")[0].split("\n…\n")
        assert passages == [f"Абзац {n}: на узле связи случился сбой, его чинят." for n in range(len(passages))]
        assert len(outgoing.text) > LIMIT - 80
        assert styled(outgoing, "bold")[1:] == ["сбой"] * len(passages)

    def test_whose_match_is_longer_than_a_message_leave_room_for_first_line_footer_and_links(self) -> None:
        forward = Forward(channel_id=55, message_id=6, name="Ведомство", date=NOW)
        post = POST.but(text=self.TEXT, spans=self.SPANS, forward=forward, gone_at=NOW)
        outgoing = post.but(text="Сбой " * 2000, spans=((0, 10_000),)).render(LONDON)
        assert len(outgoing.text) <= LIMIT
        assert outgoing.text.startswith("Outages · Минсвязь Заречья\nMissing when read again")
        assert outgoing.text.endswith("…\n\n16:39\nForwarded from Ведомство")
        assert styled(outgoing, "text_url") == ["Минсвязь Заречья", "Ведомство"]


class TestFormattingOfThePost:
    def outgoing(self, text: str, *entities: Entity) -> Outgoing:
        start = text.find("сбой")
        return POST.but(text=text, entities=entities, spans=((start, start + 4),)).render(LONDON)

    def test_a_word_that_matched_in_code_is_bold_and_the_rest_stays_code(self) -> None:
        outgoing = self.outgoing("Журнал: был сбой сети", Entity(kind="code", offset=8, length=13))
        assert (styled(outgoing, "code"), styled(outgoing, "bold")[1:]) == (["был", "сети"], ["сбой"])

    def test_a_block_of_code_that_matched_is_told_in_the_line(self) -> None:
        outgoing = self.outgoing("был сбой сети", Entity(kind="pre", offset=0, length=13, value="log"))
        assert (styled(outgoing, "code"), styled(outgoing, "pre")) == (["был", "сети"], [])

    def test_formats_that_cross_are_cut_so_that_one_lies_in_the_other(self) -> None:
        crossing = (Entity(kind="italic", offset=0, length=8), Entity(kind="underline", offset=4, length=9))
        outgoing = self.outgoing("был сбой сети", *crossing)
        assert (styled(outgoing, "italic"), styled(outgoing, "underline")) == (["был сбой"], ["сбой", "сети"])

    def test_a_link_is_never_cut_by_what_crosses_it(self) -> None:
        url = Entity(kind="text_url", offset=4, length=9, value="https://example.org/")
        outgoing = self.outgoing("был сбой сети", url, Entity(kind="italic", offset=0, length=8))
        assert (styled(outgoing, "text_url")[1:], styled(outgoing, "italic")) == (["сбой сети"], ["был", "сбой"])

    def test_bold_in_bold_is_one(self) -> None:
        outgoing = self.outgoing("был сбой сети", Entity(kind="bold", offset=0, length=13))
        assert styled(outgoing, "bold")[1:] == ["был сбой сети"]

    def test_of_too_many_formats_the_words_that_matched_come_first(self) -> None:
        text = "да " * 100 + "сбой"
        entities = tuple(Entity(kind="italic", offset=3 * n, length=2) for n in range(100))
        outgoing = self.outgoing(text, *entities)
        assert len(outgoing.entities) <= 100
        assert "сбой" in styled(outgoing, "bold")

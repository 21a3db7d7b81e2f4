"""A source of chance comes in, posts of the size and manner of official channels go out: about 370 characters."""

import re
from itertools import count
from random import Random

LENGTH = 300  # characters after which no further sentence is begun
MARK = re.compile(r"Выпуск (\d+)\.")  # how the subscriber knows the post in an alert

_WHO = (
    "официальный представитель ведомства",
    "глава регионального комитета",
    "заместитель министра транспорта",
    "пресс-служба администрации города",
    "директор департамента образования",
    "руководитель рабочей группы",
    "участник переговоров в Вене",
    "губернатор Приморской области",
)
_DID = (
    "подробно рассказал журналистам о",
    "на брифинге ответил на вопросы о",
    "провёл рабочую встречу, посвящённую",
    "представил доклад о",
    "в интервью местной газете напомнил о",
    "поблагодарил коллег за участие в",
    "подписал соглашение о",
)
_WHAT = (
    "подготовке к осенней посевной и строительстве двух новых мостов",
    "культурном обмене между школами и музеями трёх соседних стран",
    "ходе консультаций по климатической повестке",
    "итогах конкурса молодых учёных и планах на следующий год",
    "ремонте набережной, который закончат раньше срока",
    "гуманитарной помощи жителям пострадавших от паводка районов",
    "расписании пригородных поездов в праздничные дни",
    "международной выставке книг и редких рукописей",
)
_WHEN = (
    "Сегодня утром",
    "Вчера вечером",
    "На прошлой неделе",
    "В ходе поездки по области",
    "По окончании заседания",
    "Накануне годовщины Победы",
)
_ASIDE = (
    "Видеозапись выступления доступна на нашем сайте.",
    "Полный текст заявления опубликуем позднее.",
    "Следите за обновлениями: t.me/s/primer.",
    "Погода ожидается ясная, ночью небольшой туман.",
    "Вход свободный, количество мест ограничено.",
    "Фотографии: архив пресс-службы.",
)
_OUTAGES = (
    "В работе мобильного приложения банка произошёл сбой.",
    "Сайт городского портала не работает с самого утра.",
    "Пользователи сообщают о сбоях в работе мессенджера.",
)


class Texts:
    """Posts, none like another, each with its number."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - a repeatable text is wanted
        self._numbers = count(1)

    def next(self, *, outage_share: float) -> tuple[int, str]:
        """Write a post that tells of an outage with a certain probability; return its number too."""
        number, chance = next(self._numbers), self._random
        sentences = [f"Выпуск {number}."]
        if chance.random() < outage_share:
            sentences.append(chance.choice(_OUTAGES))
        while sum(map(len, sentences)) < LENGTH:
            sentences.append(
                f"{chance.choice(_WHEN)} {chance.choice(_WHO)} {chance.choice(_DID)} {chance.choice(_WHAT)}."
            )
            if chance.random() < 0.5:
                sentences.append(chance.choice(_ASIDE) + "\n")
        return number, " ".join(sentences)

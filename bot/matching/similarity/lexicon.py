"""Words that do not count like others where posts are compared, folded; of some only how they begin or end.

What a channel adds to every post, what a writer puts for something else as he likes, what stands for a number, and what
turns news into the opposite.
"""

from collections.abc import Iterator


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _with(stems: str, endings: str) -> Iterator[str]:
    """Yield each word with each ending, and as it is where one of these is a dot."""
    for stem in stems.split():
        for ending in endings.split():
            yield stem + ending.strip(".")


# What is as often put in figures, or in short.
SPELT = {
    word: spelt
    for spelt, words in {
        "1": "один одна одно одного одной одну одному одним one",
        "2": "два две двух двум двумя двое двоих дві двох two",
        "3": "три трех трем тремя трое троих трьох three",
        "4": "четыре четырех четырем четверо четверых чотири чотирьох four",
        "5": "пять пяти пятью пятеро пятерых п'ять п'яти five",
        "6": "шесть шести шестью шестеро шестерых шість six",
        "7": "семь семи семью семеро семерых сім seven",
        "8": "восемь восьми восемью вісім eight",
        "9": "девять девяти девятью дев'ять дев'яти nine",
        "10": "десять десяти десятью ten",
        "11": "одиннадцать одиннадцати одинадцять eleven",
        "12": "двенадцать двенадцати дванадцять twelve",
        "13": "тринадцать тринадцати тринадцять thirteen",
        "14": "четырнадцать четырнадцати чотирнадцять fourteen",
        "15": "пятнадцать пятнадцати п'ятнадцять fifteen",
        "16": "шестнадцать шестнадцати шістнадцять sixteen",
        "17": "семнадцать семнадцати сімнадцять seventeen",
        "18": "восемнадцать восемнадцати вісімнадцять eighteen",
        "19": "девятнадцать девятнадцати дев'ятнадцять nineteen",
        "20": "двадцать двадцати двадцять twenty",
        "30": "тридцать тридцати тридцять thirty",
        "40": "сорок сорока forty",
        "50": "пятьдесят пятидесяти п'ятдесят fifty",
        "60": "шестьдесят шестидесяти шістдесят sixty",
        "70": "семьдесят семидесяти сімдесят seventy",
        "80": "восемьдесят восьмидесяти вісімдесят eighty",
        "90": "девяносто девяноста дев'яносто ninety",
        "100": "сто ста",
        "тысяч": "тыс тысяча тысячи тысячу тысячам тысячами тис тисяч тисяча тисячі тисячу",
        "миллион": "млн",
        "миллиард": "млрд",
        "триллион": "трлн",
        "рублей": "руб",
        "россия": "рф",
    }.items()
    for word in words.split()
}
# They name a day.
DAYS = _words(
    """понедельник понедельника вторник вторника среда среды среду четверг четверга пятница пятницы пятницу суббота
    субботы субботу воскресенье воскресенья завтра вчера сегодня monday tuesday wednesday thursday friday saturday
    sunday today tomorrow yesterday"""
)
# They tell nothing by themselves; the last ones are how posts begin.
FILLERS = _words(
    """в во на с со по о об обо от из за у к ко и а но же бы что как это этом этой этот эта эти том там тут так для при
    над под без или ли до менее против не ни его ее их он она они мы вы я ты был была было были есть уже еще
    также тоже вновь снова ранее теперь сейчас только более после который которая которые перед через около
    между чтобы если когда где сам все всех всем очень the a an of in on at to for and or is are was were be
    been has have had with by from as it its this that do does did will would can could may should most more
    less much before after against some any than their his her our
    срочно срочная срочное молния важно важное главное внимание увага терміново важливо обновлено обновляется оновлено
    breaking urgent just update updated upd alert important"""
)
# Of these one undoes the other.
OPPOSED = frozenset(
    map(_words, ["до после", "из в", "более менее", "за против", "for against", "from to", "before after", "more less"])
)
AND = frozenset({"и", "а", "та", "і", "й", "and"})
NOT = _words("не нет ни ні немає без no not never without")
NOT_ENDS = ("n't", "nnot")  # of words
# How words begin of the lines by which channels sign.
SIGNS = tuple(
    """подписат подписыв подписк подпиши підписат підписув підписк підпиші прислать пришлите надіслати предложи
    запропонува оставляйте бусты читать следить subscribe""".split()  # noqa: SIM905 - words are read as words
)
# How words begin that are put for one another: of what is said or published, and that something has happened.
SAYS = tuple(
    """сообщ заяв рассказ говор сказа отмет отмеча уточн пиш написа передал передаю подчерк добав поясн объясн отчит
    следует повідом розпов said says tell told report accord announc declar произош случ возник зафиксир фиксир
    наблюда опублик вылож happen occur""".split()  # noqa: SIM905 - words are read as words
)
# They tell of an end. One text has such a word and the other has none: the event, and its end. «Восстановить» and
# «устранение» tell of none yet.
ENDS = _words(
    """снова вновь отбой отбоя знову відбій відбою фейк фейка фейком фейки опровержение опровержением
    возобновляется возобновляются открывается открываются снимается снимаются отменяется отменяются завершается
    завершаются again back restored lifted resolved fixed resumes resumed reopens reopened ended"""
).union(
    _with(
        """снят отменен устранен восстановлен возобновлен открыт включен подключен разблокирован ликвидирован завершен
        закончен окончен потушен локализован прекращен налажен починен опровергнут скасован відновлен усунен
        увімкнен""",
        ". а о ы і у",
    ),
    _with(
        """снял отменил устранил восстановил возобновил открыл включил подключил разблокировал ликвидировал завершил
        закончил потушил локализовал прекратил наладил починил заработал вернул нормализовал відновил скасувал
        усунул увімкнул""",
        ". а о и ся ась ось ись",
    ),
    _with("опроверг опровергл опроверга", ". а о и ет ют"),
)

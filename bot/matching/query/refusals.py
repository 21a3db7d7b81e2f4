"""Why a query is refused: codes, positions and plain sentences."""

N_ = str  # marks a sentence for the message catalogues

# Codes are stable: the chat translates by them, and fills in `position` and the arguments of the error.
MESSAGES = {
    "empty": N_("There is nothing to look for. Write a word, for example: outage"),
    "too_long": N_("The query has {length} characters; the limit is {limit}. Split it into several topics."),
    "too_many_parts": N_("The query has more than {limit} parts. Split it into several topics."),
    "too_many_forms": N_("The words of this query have more than {limit} forms. Split it into several topics."),
    "too_deep": N_("Brackets or distances are nested too deeply (character {position})."),
    "unclosed_bracket": N_("The bracket opened at character {position} is not closed. Add a closing bracket."),
    "unopened_bracket": N_(
        "The bracket closed at character {position} was never opened. Remove it or add an opening bracket."
    ),
    "empty_bracket": N_("There is nothing inside the brackets at character {position}."),
    "unclosed_quote": N_("The quote opened at character {position} is not closed. Add a closing quote."),
    "quote_over_lines": N_(
        "The quote opened at character {position} runs over a line break. Write the phrase on one line."
    ),
    "unopened_quote": N_(
        "The quote closed at character {position} was never opened. Remove it or add an opening quote."
    ),
    "empty_quote": N_("There is no word inside the quotes at character {position}."),
    "long_phrase": N_("The phrase at character {position} has more than {limit} words. Keep the distinctive ones."),
    "sign_in_quotes": N_("Only words are allowed inside quotes, but there is “{sign}” at character {position}."),
    "exact_phrase": N_(
        "“=” cannot stand before a quote (character {position}). Write it before each word inside, "
        "for example: “=white =list”"
    ),
    "particle": N_(
        "“{sign}” at character {position} applies to everything in the brackets or joined by “|” after it, "
        "and that can only be words and phrases. Put the rest after a comma."
    ),
    "only_exclusions": N_("Only exclusions (character {position}). Add what to look for, for example: outage -drill"),
    "misplaced_exclusion": N_(
        "“{sign}” (character {position}) excludes, and cannot follow “{operator}”. Remove “{operator}” before it."
    ),
    "loose_minus": N_("Put the minus right before the word to exclude, without a space (character {position})."),
    "missing_operand": N_("“{sign}” at character {position} needs something to look for on both sides."),
    "missing_distance": N_("Write a number from 1 to {limit} after the sign at character {position}, for example: ~5"),
    "loose_gap": N_(
        "“~{distance}” at character {position} has nothing after it. "
        "To let other words into the phrase, write it right after the quote, without a space: “…”~{distance}"
    ),
    "near_parts": N_(
        "“~{distance}” (character {position}) only joins words, phrases and their alternatives. Take the "
        "rest out of the brackets."
    ),
    "ambiguous": N_(
        "“|” and “~” (character {position}) can be read in two ways here. Add brackets: {near} or {either}"
    ),
    "link": N_(
        "Links cannot be searched for as they are (character {position}). Write the site alone, for "
        "example: rbc.ru; to look inside links, write an expression, for example: re:/rbc\\.ru\\/news/"
    ),
    "short_prefix": N_("Write at least {limit} letters before “*” (character {position})."),
    "misplaced_star": N_("“*” can only stand at the end of a word (character {position})."),
    "lone_sign": N_("“{sign}” at character {position} must stand right before a word."),
    "unknown_sign": N_("“{sign}” has no meaning here (character {position}). Words need no signs between them."),
    "unknown_operator": N_(
        "“{sign}” is not an operator (character {position}). There are AND, OR, NOT, and ~5 for words "
        "close together; for “{sign}” itself write ={sign}"
    ),
    "question_mark": N_(
        "“?” cannot stand for a letter (character {position}). Write the word, its beginning with “*”, "
        "or an expression, for example: re:/outa.e/"
    ),
    "filter": N_("“{sign}” at character {position} only works in /search; a topic is made of words. Leave it out."),
    "slashless_regex": N_(
        "Put the expression between slashes right after “re:” (character {position}), for example: re:/outa.e/"
    ),
    "glued_regex": N_(
        "The expression ends before character {position}. Write a space after it; for a slash inside it "
        "write \\/, and put options such as (?s) or (?m) at its beginning."
    ),
    "unclosed_regex": N_("The expression that begins at character {position} is not closed. Add “/” at its end."),
    "refused_regex": N_("The expression at character {position} cannot be read. Write a simpler one."),
    "regex_look_around": N_(
        "Expressions cannot look ahead or behind with “{sign}” (character {position}). Ask for the other "
        "words outside the expression."
    ),
    "regex_back_reference": N_(
        "Expressions cannot refer back to a group with “{sign}” (character {position}). Write it out again."
    ),
    "regex_group": N_(
        "A group in an expression cannot begin with “{sign}” (character {position}). Use plain brackets."
    ),
    "regex_escape": N_(
        "“{sign}” does not work in expressions (character {position}). Leave the backslash out, or use "
        "\\w, \\d, \\s or \\b."
    ),
    "regex_repetition": N_(
        "“{sign}” at character {position} has nothing to repeat. Write it right after a letter or a closing bracket."
    ),
    "regex_repeats": N_("“{sign}” at character {position} is not a valid count: the smaller number comes first."),
    "regex_repeats_much": N_(
        "“{sign}” at character {position} repeats too much: at most {limit} characters in all, and one "
        "repetition inside another multiplies."
    ),
    "regex_bracket": N_(
        "The bracket at character {position} of the expression has no partner. Add it, or write a backslash before it."
    ),
    "regex_class": N_("“{sign}” at character {position} is not a set of letters. Write, for example: [a-z]"),
    "regex_too_large": N_("The expression at character {position} is too large. Shorten it, or make it repeat less."),
    "regexes_too_large": N_(
        "The expressions up to character {position} are too large together. Write fewer, make them repeat "
        "less, or use a short list of letters instead of \\w, for example: [a-z]"
    ),
    "boundless_regex": N_(
        "The expression at character {position} matches every post. Make it ask for at least one letter."
    ),
}


class QueryError(Exception):
    """A query that cannot be used, with a reason that its author can mend."""

    def __init__(self, code: str, position: int = 1, **arguments: str | int) -> None:
        self.code = code  # a key of MESSAGES
        self.position = position  # of the wrong character in the source, from 1
        self.arguments = arguments  # of the message
        super().__init__(MESSAGES[code].format(position=position, **arguments))


class AmbiguousQueryError(QueryError):
    """A query with two meanings: alternatives that are close to something, or something close as an alternative."""

    def __init__(self, position: int, span: tuple[int, int], *, near: str, either: str) -> None:
        super().__init__("ambiguous", position, near=near, either=either)
        self.span = span  # the part of the source with two meanings, in Python characters
        self.readings = near, either  # to stand in its place

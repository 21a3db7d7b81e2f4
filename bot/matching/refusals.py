"""Why a query is refused: a code, a place and its values come in, a plain sentence goes out."""

N_ = str  # marks a sentence for the message catalogues

# Codes are stable: the chat translates by them, and fills in `position` and the arguments of the error.
MESSAGES = {
    "empty": N_("There is nothing to look for. Write a word, for example: outage"),
    "too_long": N_("The query has {length} characters; {limit} is the most. Split it into several topics."),
    "too_many_parts": N_("The query has more than {limit} parts. Split it into several topics."),
    "too_many_forms": N_("The words of this query have more than {limit} forms. Split it into several topics."),
    "too_deep": N_("Too many brackets or distances inside one another (character {position})."),
    "unclosed_bracket": N_("The bracket opened at character {position} is not closed. Add a closing bracket."),
    "unopened_bracket": N_(
        "The bracket closed at character {position} was never opened. Remove it or add an opening one."
    ),
    "empty_bracket": N_("There is nothing inside the brackets at character {position}."),
    "unclosed_quote": N_("The quote opened at character {position} is not closed. Add a closing quote."),
    "unopened_quote": N_("The quote closed at character {position} was never opened. Remove it or add an opening one."),
    "empty_quote": N_("There is no word inside the quotes at character {position}."),
    "long_phrase": N_("The phrase at character {position} has more than {limit} words. Take the telling ones."),
    "sign_in_quotes": N_("Inside quotes only words count, but there is “{sign}” at character {position}."),
    "only_exclusions": N_("Only exclusions (character {position}): add what to look for, for example: outage -drill"),
    "misplaced_exclusion": N_("“-” cannot stand next to “|” or “~” (character {position}). Put a space before it."),
    "loose_minus": N_("Put the minus right before the word to exclude, without a space (character {position})."),
    "missing_operand": N_("“{sign}” at character {position} needs something to look for on both sides."),
    "missing_distance": N_("Write a number from 1 to {limit} after the sign at character {position}, for example: ~5"),
    "near_parts": N_(
        "“~{distance}” (character {position}) joins words, phrases and their alternatives only. "
        "Take the rest out of the brackets."
    ),
    "link": N_(
        "Links are not searched as words (character {position}). Write a word or a @mention; "
        "to look inside links, write an expression, for example: re:/rbc\\.ru/"
    ),
    "short_prefix": N_("Write at least {limit} letters before “*” (character {position})."),
    "misplaced_star": N_("“*” may only stand at the end of a word (character {position})."),
    "lone_sign": N_("“{sign}” at character {position} must stand right before a word."),
    "unknown_sign": N_("I do not know the sign “{sign}” (character {position}). Words need no signs between them."),
    "unclosed_regex": N_("The expression that begins at character {position} is not closed. Add “/” at its end."),
    "refused_regex": N_("The expression at character {position} cannot be read. Write a simpler one."),
    "regex_look_around": N_(
        "Expressions here cannot look ahead or behind with “{sign}” (character {position}). "
        "Ask for the other words outside the expression."
    ),
    "regex_back_reference": N_(
        "Expressions here cannot refer back to a group with “{sign}” (character {position}). Write it out again."
    ),
    "regex_group": N_(
        "Expressions here know no group that begins with “{sign}” (character {position}). Use plain brackets."
    ),
    "regex_escape": N_(
        "Expressions here do not know “{sign}” (character {position}). Leave the backslash out, "
        "or use \\w, \\d, \\s or \\b."
    ),
    "regex_repetition": N_(
        "“{sign}” at character {position} has nothing to repeat. Write it right after a letter or a closing bracket."
    ),
    "regex_repeats": N_(
        "“{sign}” at character {position} cannot be counted: "
        "the smaller number comes first, and {limit} in all is the most."
    ),
    "regex_bracket": N_(
        "The bracket at character {position} of the expression has no partner. Add it, or write a backslash before it."
    ),
    "regex_class": N_("“{sign}” at character {position} is no set of letters. Write, for example: [a-z]"),
    "regex_too_large": N_("The expression at character {position} is too large. Shorten it, or let it repeat less."),
    "boundless_regex": N_(
        "The expression at character {position} finds every post. Make it ask for at least one letter."
    ),
}


class QueryError(Exception):
    """A query cannot be used, for a reason its author can mend."""

    def __init__(self, code: str, position: int = 1, **arguments: str | int) -> None:
        self.code = code  # a key of MESSAGES
        self.position = position  # the character of the source where it goes wrong, from 1
        self.arguments = arguments  # what else the sentence of this code says
        super().__init__(MESSAGES[code].format(position=position, **arguments))

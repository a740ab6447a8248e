"""What to say of a name that there is not. Apart from `agent.wording`, for those that may know no third party."""

from collections.abc import Iterable
from difflib import get_close_matches


def no_such_name(word: str, names: Iterable[str], where: str) -> str:
    """What to say of a name that is none of very many: what was perhaps meant, and where all of them are told."""
    meant = get_close_matches(word, list(names), 3)
    return (f"did you mean {', or '.join(meant)}? " if meant else "") + f"{where} tells which there are"

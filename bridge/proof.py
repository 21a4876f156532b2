"""The code that proves a link: whoever can have an operator say it in the chat may link it. Pure."""

import hashlib
import hmac

from .links import Linked

LETTERS = "ACDEFGHJKLMNPQRTUVWXY34679"
"""Twenty-six that nobody confuses when reading or hearing them."""
LENGTH = 6


def code_for(key: bytes, link: Linked) -> str:
    """The code of one request to link. Another request, or another bridge, has another code."""
    words = f"{link.room}\0{link.key}\0{link.event}"
    number = int.from_bytes(hmac.digest(key, words.encode(), hashlib.sha256))
    letters = []
    for _ in range(LENGTH):
        number, place = divmod(number, len(LETTERS))
        letters.append(LETTERS[place])
    return "".join(letters)


def says_code(text: str, code: str) -> bool:
    """Whether ``text`` is the code, alone or after "haven" or "!haven", in letters of any size."""
    words = text.casefold().split()
    if len(words) == 2 and words[0].lstrip("!").rstrip(":,") == "haven":
        words = words[1:]
    return len(words) == 1 and hmac.compare_digest(words[0].encode(), code.casefold().encode())

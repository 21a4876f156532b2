"""How a name looks to a reader: two names with the same likeness are easily taken for one another."""

import unicodedata
from functools import lru_cache

_TWINS = {
    "a": "аɑαᴀ",
    "b": "вьβʙ8",
    "c": "сϲᴄ",
    "d": "ԁđᴅɗ",
    "e": "еєεᴇ",
    "f": "ꜰƒ",
    "g": "ɡɢց",
    "h": "нһհħʜ",
    "k": "кκᴋ",
    "l": "іıɩιӏ1|!ʟłɪjјᴊi",
    "m": "мᴍ",
    "n": "пηɴո",
    "o": "оοօ0ᴏøσ",
    "p": "рρᴘ",
    "q": "ԛ",
    "r": "гʀ",
    "s": "ѕ5ꜱ$",
    "t": "тτŧᴛ",
    "u": "υսᴜµμц",
    "v": "νᴠѵ",
    "w": "ԝωᴡш",
    "x": "хχ",
    "y": "уγʏү",
    "z": "ᴢʐ",
    "ae": "æ",
    "oe": "œ",
}
"""Letters that look alike at a glance, in lower case, after taking off marks: what is read, and what may stand for it. Cyrillic, Greek,
Armenian, small capitals, digits; after Unicode's confusables (UTS 39), cut down to what is seen in names."""

_READ = str.maketrans({twin: letter for letter, twins in _TWINS.items() for twin in twins})


@lru_cache(maxsize=20_000)
def likeness(name: str) -> str:
    """What a reader sees of ``name`` at a glance: no case, marks, blanks, punctuation or invisible characters; letters that look like
    others are those (UTS 39 calls such a thing a skeleton). A name of nothing but signs is only like itself.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    bare = "".join(char for char in plain if unicodedata.category(char)[0] not in "MCZ")
    seen = bare.translate(_READ)
    words = "".join(char for char in seen if char.isalnum())
    return words.replace("rn", "m").replace("vv", "w") or bare

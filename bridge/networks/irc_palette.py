"""The colours of mIRC: 99 numbers and what they look like.

Source: https://modern.ircdocs.horse/formatting.html#colors and #colors-16-98.
"""

DEFAULT = 99
"""The number that means the reader's own colour."""

_RGB = bytes.fromhex("""
ffffff 000000 00007f 009300 ff0000 7f0000 9c009c fc7f00 ffff00 00fc00 009393 00ffff 0000fc ff00ff 7f7f7f d2d2d2
470000 472100 474700 324700 004700 00472c 004747 002747 000047 2e0047 470047 47002a
740000 743a00 747400 517400 007400 007449 007474 004074 000074 4b0074 740074 740045
b50000 b56300 b5b500 7db500 00b500 00b571 00b5b5 0063b5 0000b5 7500b5 b500b5 b5006b
ff0000 ff8c00 ffff00 b2ff00 00ff00 00ffa0 00ffff 008cff 0000ff a500ff ff00ff ff0098
ff5959 ffb459 ffff71 cfff60 6fff6f 65ffc9 6dffff 59b4ff 5959ff c459ff ff66ff ff59bc
ff9c9c ffd39c ffff9c e2ff9c 9cff9c 9cffdb 9cffff 9cd3ff 9c9cff dc9cff ff9cff ff94d3
000000 131313 282828 363636 4d4d4d 656565 818181 9f9f9f bcbcbc e2e2e2 ffffff
""")
_HEX = [_RGB[start : start + 3].hex() for start in range(0, len(_RGB), 3)]

_EXACT = {value: number for number, value in reversed(list(enumerate(_HEX)))}
_BASIC = [(number, bytes.fromhex(value)) for number, value in enumerate(_HEX[:16])]


def colour_of(number: int) -> str | None:
    """``#rrggbb`` of a colour's number, ``None`` for the reader's own colour or a number that is none."""
    return f"#{_HEX[number]}" if 0 <= number < len(_HEX) else None


def number_of(colour: str) -> int:
    """The number that looks like ``colour`` (``#rrggbb``): itself where the palette has it, else the nearest of the 16 that all clients know."""
    wanted = colour.removeprefix("#").lower()
    if wanted in _EXACT:
        return _EXACT[wanted]
    try:
        rgb = bytes.fromhex(wanted)
    except ValueError:
        return DEFAULT
    if len(rgb) != 3:
        return DEFAULT
    return min(_BASIC, key=lambda known: sum((a - b) ** 2 for a, b in zip(known[1], rgb, strict=True)))[0]

"""Which characters may stand in a text that goes over to Matrix or comes from it."""

_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if code not in (9, 10)}


def clean(text: str) -> str:
    """``text`` without control characters but for line feed and tab, and without halves of surrogate pairs.

    JSON allows both (RFC 8259 section 8.2), databases, other clients and the encoder do not. All ends of lines become line feeds.
    """
    if text.isprintable():
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)

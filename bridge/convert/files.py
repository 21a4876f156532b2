"""Pictures, films, sounds, stickers and files, as Matrix spells them and as we do.

Source: client-server API, "m.image", "m.audio", "m.video", "m.file", "m.sticker", "Media captions"; MSC3245 (voice messages).
"""

from ..message import Attachment, MediaKind
from .characters import clean
from .shapes import Raw, amount, mapping, text

TYPES = {
    "m.image": MediaKind.IMAGE,
    "m.video": MediaKind.VIDEO,
    "m.audio": MediaKind.AUDIO,
    "m.file": MediaKind.FILE,
}
_NAMES = {kind: name for name, kind in TYPES.items()} | {MediaKind.VOICE: "m.audio"}
_VOICE = "org.matrix.msc3245.voice"
_AUDIO = "org.matrix.msc1767.audio"
LONGEST_NAME = 200


def attachment_of(content: Raw, *, sticker: bool = False) -> Attachment:
    """The file in the content of a message or a sticker.

    Its ``url`` is an ``mxc://``; "" where it is anything else, or encrypted: nobody outside could open it.
    """
    information, url = mapping(content, "info"), text(content, "url")
    name = clean(text(content, "filename") or text(content, "body")).replace("\n", " ").strip() or "?"
    return Attachment(
        name[:LONGEST_NAME],
        url if url.startswith("mxc://") else "",
        text(information, "mimetype") or "application/octet-stream",
        amount(information, "size"),
        MediaKind.STICKER if sticker else _kind(content),
        amount(information, "w"),
        amount(information, "h"),
        _duration(content),
    )


def _kind(content: Raw) -> MediaKind:
    kind = TYPES.get(text(content, "msgtype"), MediaKind.FILE)
    spoken = _VOICE in content or "m.voice" in content
    return MediaKind.VOICE if kind is MediaKind.AUDIO and spoken else kind


def _duration(content: Raw) -> int | None:
    found = amount(mapping(content, "info"), "duration")
    return found if found is not None else amount(mapping(content, _AUDIO), "duration")


def file_content(file: Attachment) -> dict[str, object]:
    """The content that shows ``file``, whose ``url`` is an ``mxc://``. For stickers without ``msgtype``: they are events of a type of
    their own.
    """
    name = clean(file.name).replace("\n", " ").strip()[:LONGEST_NAME] or "?"
    known = {"size": file.size, "w": file.width, "h": file.height, "duration": file.duration_ms}
    information = {key: value for key, value in known.items() if value is not None}
    content: dict[str, object] = {
        "body": name,
        "url": file.url,
        "info": {"mimetype": clean(file.media_type), **information},
    }
    if file.kind is MediaKind.STICKER:
        return content
    content |= {"msgtype": _NAMES[file.kind], "filename": name}
    if file.kind is MediaKind.VOICE:
        content |= {_VOICE: {}, _AUDIO: {"duration": file.duration_ms or 0}}
    return content

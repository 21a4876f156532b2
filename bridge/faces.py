"""Under which name, and with which picture, a ghost is shown in a room: safe, and never like somebody who is at home there."""

from dataclasses import dataclass

from .convert.names import LONGEST, safe_name, without_numbers
from .rooms import Face, RoomView
from .store import Known


@dataclass(frozen=True, slots=True)
class Faces:
    """Gives ghosts their faces. ``template``: how a name is shown, with ``{name}`` and ``{network}`` in it."""

    template: str

    def of(self, known: Known, view: RoomView) -> Face:
        """The face of a ghost in a room.

        Where somebody at home on Matrix is shown by a name that looks the same, the network stands behind the ghost's; where even that
        does, a part of the ghost's id.
        """
        mark = known.ghost.partition(":")[0][-4:]
        forms = (self.template, "{name} ({network})", f"{{name}} ({{network}} {mark})")
        shown = [_filled(form, known) for form in forms]
        return Face(
            next((name for name in shown if not view.is_like_somebody(name)), shown[-1]), known.avatar
        )


def _filled(form: str, known: Known) -> str:
    """``form`` with the name in it, the name cut so that all the rest has its place."""
    around = len(form.format(name="", network=known.network))
    name = safe_name(without_numbers(known.name), "?")[: max(1, LONGEST - around)]
    return safe_name(form.format(name=name, network=known.network), "?")

"""Every command there is, by noun, in the order in which the overview tells them."""

from . import announcement, bridge, community, group, log, manual, report, role, settings, upkeep
from .asked import Section, Table

TABLE = Table(
    (
        Section(
            community.SECTION.key,
            (*community.SECTION.entries, *settings.ENTRIES, *upkeep.ENTRIES, *log.ENTRIES),
        ),
        group.SECTION,
        role.SECTION,
        announcement.SECTION,
        report.SECTION,
        bridge.SECTION,
        manual.SECTION,
    )
)

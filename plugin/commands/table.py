"""Every command there is, by noun, in the order in which the overview tells them."""

from . import (
    announcement,
    bridge,
    community,
    door,
    group,
    group_set,
    log,
    manual,
    person,
    report,
    role,
    settings,
    suggestion,
    upkeep,
)
from .asked import Section, Table

TABLE = Table(
    (
        Section(
            community.SECTION.key,
            (*community.SECTION.entries, *settings.ENTRIES, *upkeep.ENTRIES, *log.ENTRIES),
        ),
        Section(group.SECTION.key, (*group.SECTION.entries, *group_set.ENTRIES, *suggestion.ENTRIES)),
        role.SECTION,
        announcement.SECTION,
        door.SECTION,
        Section("noun.safety", (*person.ENTRIES, *report.ENTRIES)),
        bridge.SECTION,
        manual.SECTION,
    )
)

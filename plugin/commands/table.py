"""Every command there is, by noun, in the order in which the overview tells them."""

from . import (
    adopt,
    announcement,
    attendance,
    banlist,
    bridge,
    community,
    door,
    ending,
    group,
    group_set,
    log,
    manual,
    measure,
    my_data,
    owner,
    person,
    report,
    role,
    settings,
    suggestion,
    text,
    upgrade,
    upkeep,
)
from .asked import Section, Table

TABLE = Table(
    (
        Section(
            community.SECTION.key,
            (
                *community.SECTION.entries,
                *settings.ENTRIES,
                *upkeep.ENTRIES,
                *log.ENTRIES,
                *ending.ENTRIES,
                *upgrade.ENTRIES,
            ),
        ),
        Section(
            group.SECTION.key,
            (
                *group.SECTION.entries,
                *group_set.ENTRIES,
                *adopt.ENTRIES,
                *ending.GROUP_ENTRIES,
                *suggestion.ENTRIES,
            ),
        ),
        Section(role.SECTION.key, (*role.SECTION.entries, *owner.ENTRIES)),
        Section(announcement.SECTION.key, (*announcement.SECTION.entries, *attendance.ENTRIES)),
        door.SECTION,
        Section(
            "noun.safety",
            (*person.ENTRIES, *measure.ENTRIES, *report.ENTRIES, *banlist.ENTRIES, *text.ENTRIES),
        ),
        bridge.SECTION,
        Section("noun.privacy", my_data.ENTRIES),
        manual.SECTION,
    )
)

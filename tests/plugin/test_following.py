"""What the space says of people is followed in its rooms, and what was for a while ends, also over lives of the bot."""

from haven.ids import UserId
from haven.measures import MUTED_LEVEL, Mute
from haven.model import Community, Kind
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.life import found, founding, living
from tests.plugin.test_keeping import level


async def test_a_ban_by_hand_in_the_space_holds_in_every_room(server: FakeHomeserver, store: Store) -> None:
    ana, eva = server.person("ana"), server.person("eva").user
    async with living(server, store) as life:
        await found(life, founding(server))
        community = await life.community()
        await ana.join(community.space)
        await ana.ban(community.space, eva, "spam")
        await life.settled(lambda: _held(server, community, eva) == {"ban"}, "she is banned everywhere")
        await ana.unban(community.space, eva)
        await life.settled(lambda: _held(server, community, eva) == {"leave"}, "she is banned nowhere")
        assert (await life.community()).banned == {}


def _held(server: FakeHomeserver, community: Community, user: UserId) -> set[str]:
    return {server.rooms[group.room].membership(user) for group in community.groups}


async def test_a_mute_that_ended_while_the_bot_was_down_is_lifted_when_it_looks(
    server: FakeHomeserver, store: Store
) -> None:
    eva = server.person("eva").user
    async with living(server, store) as life:
        await found(life, founding(server))
        communities, space = life.engine.communities, (await life.community()).space
        general = (await life.community()).only(Kind.GENERAL)
        assert general is not None
        communities.epoch = lambda: 1_000
        assert (await communities.change(space, lambda c: c.with_mute(eva, Mute(5_000)))).in_step
        assert level(server, general.room, eva) == MUTED_LEVEL
    async with living(server, store) as life:
        life.engine.communities.epoch = lambda: 5_000
        assert (await life.engine.communities.repair(space)).in_step
        assert level(server, general.room, eva) == 0
        assert not (await life.community()).muted

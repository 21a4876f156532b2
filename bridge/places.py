"""How far each chat was heard, in the bridge's database: where its network is to go on after an absence."""

from dataclasses import dataclass

from mautrix.util.async_db import Connection

from haven.ids import ChatId, Network, RemoteMessageId

from .networks.base import Place


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a chat of a network was heard."""

    network: Network
    chat: ChatId
    place: Place


async def reach(connection: Connection, reached: Reached) -> None:
    """A job's part: the chat was heard so far."""
    await connection.execute(
        "INSERT INTO place (network, chat, message, at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (network, chat) DO UPDATE SET message = excluded.message, at = excluded.at",
        reached.network,
        reached.chat,
        reached.place.id,
        reached.place.at,
    )


async def place_of(connection: Connection, network: Network, chat: ChatId) -> Place | None:
    """A job's part: how far the chat was heard; ``None`` where it never was."""
    row = await connection.fetchrow(
        "SELECT message, at FROM place WHERE network = $1 AND chat = $2", network, chat
    )
    return None if row is None else Place(RemoteMessageId(row["message"]), row["at"])

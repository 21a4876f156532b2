"""People on the real homeserver behind the plugin's adapter, each with a client as maubot makes them."""

from mautrix.client import Client
from mautrix.types import UserID

from embedded.person import Person
from plugin.homeserver import MautrixHomeserver
from tests.conftest import Newcomer


def adapter(person: Person) -> MautrixHomeserver:
    """The plugin's adapter with a person's account."""
    account = person.account
    client = Client(
        mxid=UserID(account.user_id),
        base_url=account.url,
        token=account.token,
        client_session=account.session,
    )
    return MautrixHomeserver(client)


class MautrixPeople:
    """A world for contract suites whose people are new accounts."""

    def __init__(self, newcomer: Newcomer) -> None:
        self._newcomer = newcomer

    async def person(self, name: str) -> MautrixHomeserver:
        """Someone new, called `name` and a number."""
        return adapter(await self._newcomer(name))

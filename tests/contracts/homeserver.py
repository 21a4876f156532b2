"""The contract of `haven.ports.Homeserver`: what every homeserver keeps, the fake one, and the real one behind each adapter.

Inherit `WholeHomeserverContract` in a class of tests and give it a ``world`` fixture (`World`): a homeserver on which
people can be made. Each test runs in rooms of versions 10, 11 and 12. What it says was measured on Synapse 1.163.
"""

from tests.contracts.homeserver_membership import MembershipContract
from tests.contracts.homeserver_messages import MessagesContract
from tests.contracts.homeserver_power import PowerContract
from tests.contracts.homeserver_rooms import RoomsContract
from tests.contracts.homeserver_spaces import SpacesContract
from tests.contracts.homeserver_world import World

__all__ = ["WholeHomeserverContract", "World"]


class WholeHomeserverContract(
    RoomsContract, MessagesContract, PowerContract, MembershipContract, SpacesContract
):
    """All of it."""

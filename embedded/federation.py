"""Homeservers that federate with each other on loopback and with nobody else: what they share, and how each is set up for it.

Each is called after its address (`127.0.0.1:PORT`), so that it is found without DNS or well-known files, and all show one certificate that all
of them trust: certificates are verified as on the open network.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from embedded.matrix import Json
from embedded.places import python
from embedded.ports import HOST

_MAKER = Path(__file__).with_name("certificate.py")


@dataclass(frozen=True, slots=True)
class Federation:
    """Who is given the same one can reach each other: the files of a certificate and its key."""

    certificate: Path
    key: Path

    @staticmethod
    async def make(directory: Path) -> "Federation":
        """Makes the certificate in a directory, by the library that Synapse brings along."""
        made = Federation(directory / "certificate.pem", directory / "certificate.key")
        maker = await asyncio.create_subprocess_exec(
            python("servers"), "-I", _MAKER, HOST, made.certificate, made.key
        )
        if await maker.wait() != 0:
            raise OSError(f"no certificate could be made in {directory}")
        return made

    def listener(self, port: int) -> Json:
        """Where the other homeservers are answered."""
        resources = [{"names": ["federation"], "compress": False}]
        return {
            "port": port,
            "type": "http",
            "bind_addresses": [HOST],
            "tls": True,
            "x_forwarded": False,
            "resources": resources,
        }

    def settings(self) -> Json:
        """The rest of the configuration. Loopback, which Synapse keeps away from by default, is where everybody is."""
        return {
            "tls_certificate_path": str(self.certificate),
            "tls_private_key_path": str(self.key),
            "federation_custom_ca_list": [str(self.certificate)],
            "federation_domain_whitelist": None,
            "federation_ip_range_blacklist": [],
            "federation": {"destination_min_retry_interval": "1s", "destination_max_retry_interval": "5s"},
        }

"""A program for the environment of the servers: `python certificate.py ADDRESS CERTIFICATE KEY` writes a certificate of its own authority.

It is good for a week, for that IP address only.
"""

import datetime as dt
import ipaddress
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFE = dt.timedelta(days=7)


def certificate(address: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """The certificate that `key` gives itself for an IP address."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Haven's homeservers on loopback")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    return (
        builder.not_valid_before(now - LIFE)
        .not_valid_after(now + LIFE)
        .add_extension(addresses, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )


def main(address: str, to_certificate: Path, to_key: Path) -> None:
    """Makes both files, and the directory of the first."""
    to_certificate.parent.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    to_key.touch(mode=0o600)
    to_key.write_bytes(private)
    to_certificate.write_bytes(certificate(address, key).public_bytes(serialization.Encoding.PEM))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))

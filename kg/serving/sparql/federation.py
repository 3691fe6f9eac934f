"""SERVICE, for the endpoints that the operator names, and for no other.

A query that asks another server goes to a worker that may open sockets, so nothing may slip past: wherever its text
holds the word, in whatever case, even in a comment, it must stand in `SERVICE <ADDRESS>` or `SERVICE SILENT <ADDRESS>`
with an address that is allowed, written out. All other queries go to workers that cannot open a socket.

>>> allowed("SELECT * { SERVICE <https://a.org/sparql> { ?s ?p ?o } }", ("https://a.org/sparql",))
True
>>> allowed("SELECT * { SERVICE <http://b.org/> { ?s ?p ?o } }", ("https://a.org/sparql",))
False
"""

import ipaddress
import re
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit


def allowed(text: str, services: Sequence[str]) -> bool:
    """Whether a query asks other servers and all of them are allowed."""
    if not services or "\\u" in text.lower():  # an escaped letter may spell the word
        return False
    addresses = "|".join(map(re.escape, services))
    clause = rf"(?<![\w?$:.-])(?i:SERVICE\s+(?:SILENT\s+)?)<(?:{addresses})>"
    rest, count = re.subn(clause, " ", text)
    return count > 0 and "service" not in rest.lower()


def public(services: Sequence[str]) -> bool:
    """Whether every server has addresses of the open internet only, none of this machine or a private network."""
    for service in services:
        parts = urlsplit(service)
        try:
            found = socket.getaddrinfo(parts.hostname, parts.port or 443, proto=socket.IPPROTO_TCP)
        except OSError:
            return False
        if not all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global for *_, address in found):
            return False
    return True

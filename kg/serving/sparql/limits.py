"""What one query, one address and the endpoint as a whole may use; the operator's settings come from the environment."""

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from kg.errors import PalpateError


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may use, and how much the endpoint holds.

    Attributes:
        seconds: run time of a query.
        bytes: size of an answer.
        memory: address space of a worker, in bytes.
        query_length: characters of a query.
        queue: queries that wait or run at once; more are refused.
        cache: bytes of answers that are kept.
        workers: processes; none says two more than the machine has cores, four at least.
        rate: requests a second of one address, over a minute; 0 for no limit. Loopback has none.
    """

    seconds: float = 30.0
    bytes: int = 64 * 2**20
    memory: int = 2 * 2**30
    query_length: int = 100_000
    queue: int = 256
    cache: int = 64 * 2**20
    workers: int | None = None
    rate: float = 50.0

    @property
    def processes(self) -> int:
        """How many workers run; more than the cores, so that a few long queries leave some free for short ones."""
        return self.workers or max(4, (os.cpu_count() or 2) + 2)


def from_environment() -> Limits:
    """The limits that the operator sets, `PALPATE_TIMEOUT`, `PALPATE_QUEUE`, `PALPATE_WORKERS`, `PALPATE_RATE`, else the usual.

    Raises:
        PalpateError: where a setting is no number above 0 (`PALPATE_RATE` may be 0).
    """
    usual = Limits()
    return Limits(
        seconds=_number("PALPATE_TIMEOUT", usual.seconds), queue=int(_number("PALPATE_QUEUE", usual.queue)),
        workers=int(_number("PALPATE_WORKERS", usual.processes)), rate=_number("PALPATE_RATE", usual.rate, least=0.0),
    )  # fmt: skip


def _number(name: str, usual: float, least: float = 1e-3) -> float:
    text = os.environ.get(name, "")
    try:
        value = float(text) if text else usual
    except ValueError:
        value = -1.0
    if not least <= value < 1e9:
        raise PalpateError(f"{name} must be a number{' above 0' if least else ' of 0 or more'}, not {text!r}.")
    return value


def services_from_environment() -> tuple[str, ...]:
    """The endpoints that SERVICE may ask: `PALPATE_SERVICES`, addresses with spaces between; none by default.

    Raises:
        PalpateError: where one is no http or https address.
    """
    services = tuple(os.environ.get("PALPATE_SERVICES", "").split())
    for service in services:
        parts = urlsplit(service)
        if parts.scheme not in ("http", "https") or not parts.hostname or any(c in service for c in '<>"{}|^`\\'):
            raise PalpateError(f"PALPATE_SERVICES names {service!r}, which is no http or https address.")
    return services

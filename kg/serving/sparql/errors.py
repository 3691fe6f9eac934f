"""What is said of a query that is refused, malformed, or past a limit."""

from kg.errors import PalpateError


class QueryError(PalpateError):
    """A query that is refused or past a limit.

    `status` is the HTTP status that says so; `headers` and `extra` go with it into the response and its problem details.
    """

    def __init__(self, message: str, status: int = 400, *, headers: dict[str, str] | None = None, **extra: int) -> None:
        super().__init__(message)
        self.status, self.headers, self.extra = status, headers or {}, extra

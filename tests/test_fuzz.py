"""The same strange requests each time, against the whole server; `python -m tests.fuzz_endpoint` sends others for longer."""

from tests import fuzz_endpoint


def test_whatever_comes_is_answered_as_documented() -> None:
    with fuzz_endpoint.serving() as server:
        for check in fuzz_endpoint.rounds(server, 90):
            check()
            server.lives()
        assert {200, 400, 405, 406} <= server.statuses.keys()

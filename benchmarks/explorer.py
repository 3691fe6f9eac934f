"""How the explorer bears many people at once: errors, time for a page, and memory held for each session.

    python -m benchmarks.explorer [--sessions 30]

Each session opens the pages that a therapist goes through for one client, over the websocket that a browser uses, all
sessions at the same time. Time is that of the server until a page is whole; a browser draws it beside that.
"""

import argparse
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.crawl import serve, visit

PAGES = (
    ("", "condition=plantar-fasciitis&phase=chronic&hazard=warfarin"), ("technique", "id=myofascial-release"),
    ("compare", "condition=plantar-fasciitis&hazard=warfarin"), ("rationale", "condition=plantar-fasciitis"),
    ("plan", "condition=plantar-fasciitis&phase=chronic&sessions=6"), ("tissue", "id=gastrocnemius"),
)  # fmt: skip
"""Page and query, in the order in which a session opens them."""


def together(port: int, sessions: int, all_open: Callable[[], None] = lambda: None) -> tuple[list[float], list[str]]:
    """All sessions through all pages at the same time: seconds for each page, and what went wrong.

    `all_open` is called when all have drawn all pages and none has left.
    """
    seconds, wrong = list[float](), list[str]()
    opened, done = threading.Barrier(sessions), threading.Barrier(sessions, action=all_open)

    def one() -> None:
        with connect(f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=[Subprotocol("streamlit")], max_size=None) as session:
            opened.wait(timeout=120)
            for page, query in PAGES:
                start = time.perf_counter()
                title, exceptions, _links = visit(session, page, query)
                seconds.append(time.perf_counter() - start)
                wrong.extend(exceptions if title else [*exceptions, f"{page}: no title"])
            done.wait(timeout=120)

    def told(_: int) -> None:
        try:
            one()
        except threading.BrokenBarrierError:
            if not wrong:
                raise
        except (OSError, WebSocketException) as error:
            wrong.append(f"{type(error).__name__}: {error}")
            for barrier in (opened, done):
                barrier.abort()  # who waits for this session would wait in vain

    with ThreadPoolExecutor(sessions) as pool:
        list(pool.map(told, range(sessions)))
    return seconds, wrong


def resident(pid: int) -> int:
    """Bytes that a process holds in memory."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=30)
    sessions = parser.parse_args().sessions
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    process = serve(port, Path(tempfile.mkdtemp()) / "server.log")
    try:
        together(port, 1)  # what the first visitor loads stays for all
        before, held = resident(process.pid), list[int]()
        seconds, wrong = together(port, sessions, lambda: held.append(resident(process.pid)))
    finally:
        process.terminate()
        process.wait(timeout=30)
    for line in wrong:
        print(line)
    if not held:
        raise SystemExit("Not all sessions were open together, so nothing is measured.")
    print(f"{sessions} sessions at once, {len(seconds)} pages, {len(wrong)} errors; a page in {1000 * statistics.median(seconds):.0f} ms "
          f"(median), {1000 * max(seconds):.0f} ms (slowest); {(held[0] - before) / sessions / 2**20:.1f} MiB a session")  # fmt: skip


if __name__ == "__main__":
    main()

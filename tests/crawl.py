"""Every page of every entity: opened on the real server, as a browser opens it.

python -m tests.crawl [--every N]

A server of its own is started. For each entity its page is asked for over the websocket that a browser uses; the report
tells exceptions on pages, links that lead nowhere, and what the log of the server says of errors. Exit status 1 where there is any.
`shapes` and `faults` are what the tests use to do the same to a sample of all kinds, without a server.
"""

import argparse
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

import kg
from kg.graph.knowledge import Knowledge

ROOT = Path(__file__).parents[1]
PAGES = {"Condition": "condition", "Technique": "technique", "AnatomicalStructure": "tissue", "PhysiologicalEffect": "effect",
         "Impairment": "impairment", "Hazard": "hazard", "Source": "source"}  # fmt: skip
"""The page of an entity by its class, written down once more; of all others it is `entity`."""
_STEMS = sorted(path.stem for path in (ROOT / "explorer" / "views").glob("*.py"))
VIEWS = {{"find": "", "sparql": "lab"}.get(stem, stem): stem for stem in _STEMS}
"""The last part of a page's address -> its file."""
_ERRORS = re.compile(r"Traceback|\bERROR\b|\w+(Error|Exception)\b")


def page_of(knowledge: Knowledge, slug: str) -> str:
    """The page of an entity, the first one where it stands on several."""
    return _standing(knowledge, slug)[0]


def entities(knowledge: Knowledge) -> list[str]:
    """All individuals, classes and properties of the namespace."""
    return [node.slug for node in knowledge if "://" not in node.slug]


def shapes(knowledge: Knowledge) -> list[str]:
    """One entity for each combination of classes, properties stated, and properties by which others point to it."""
    pointing: dict[str, set[str]] = {}
    for node in knowledge:
        for prop, values in node.properties.items():
            for value in values:
                pointing.setdefault(str(value), set()).add(prop)
    found = {}
    for slug in entities(knowledge):
        node = knowledge[slug]
        found.setdefault((node.all("rdf:type"), tuple(node.properties), frozenset(pointing.get(slug, ()))), slug)
    return list(found.values())


def anchors(html: str) -> Iterator[str]:
    """The addresses of entities to which HTML leads."""
    return map(unescape, re.findall(r'<a href="([^"]+)" data-entity', html))


def faults(knowledge: Knowledge, addresses: Iterable[str]) -> list[str]:
    """The addresses, `page?query`, that lead to no page, or to an entity that does not stand on it."""
    return [address for address in addresses if not _leads(knowledge, *address.partition("?")[::2])]


def _leads(knowledge: Knowledge, page: str, query: str) -> bool:
    slugs = parse_qs(query).get("id", [])
    return page in VIEWS and all(slug in knowledge and page in _standing(knowledge, slug) for slug in slugs)


def _standing(knowledge: Knowledge, slug: str) -> list[str]:
    """The pages on which an entity stands: osteoporosis is a condition and a hazard."""
    return [page for cls, page in PAGES.items() if knowledge[slug].is_a(cls)] or ["entity"]


# ---------------------------------------------------------------------------------------------------- the real server
def visit(session: ClientConnection, page: str, query: str) -> tuple[str, list[str], set[str]]:
    """Open a page in a session of the explorer: its title, the exceptions, and the addresses of its links."""
    asked = BackMsg()
    asked.rerun_script.query_string, asked.rerun_script.page_name = query, page
    session.send(asked.SerializeToString())
    title, exceptions, addresses = "", list[str](), set[str]()
    while True:
        message = ForwardMsg.FromString(session.recv(timeout=60))  # type: ignore[arg-type]
        element = message.delta.new_element
        match message.WhichOneof("type"), element.WhichOneof("type"):
            case "script_finished", _:
                return title, exceptions, addresses
            case "page_not_found", _:
                exceptions.append("the page is not found")
            case _, "exception":
                exceptions.append(element.exception.message)
            case _, "heading" if element.heading.tag == "h1":
                title = element.heading.body
            case _, "page_link":
                addresses.add(f"{element.page_link.page}?{element.page_link.query_string}")
            case _, "html":
                addresses.update(anchors(element.html.body))


def serve(port: int, log: Path) -> "subprocess.Popen[bytes]":
    """Start the server, ready to answer; what it says goes into a file."""
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "kg", "serve", "--port", str(port)], cwd=ROOT, stdout=out, stderr=out)
    end = time.monotonic() + 240
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=5).close()
            return process
        except OSError:
            time.sleep(0.3)
    process.kill()
    raise SystemExit(log.read_text(encoding="utf-8"))


def crawl(every: int) -> int:
    """Open every n-th entity, print what is wrong and how it went, and return how many faults there are."""
    knowledge = kg.load().knowledge
    slugs = entities(knowledge)[::every]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = Path(tempfile.mkdtemp()) / "server.log"
    process = serve(port, log)
    wrong, links, start = list[str](), set[str](), time.monotonic()
    try:
        with connect(f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=[Subprotocol("streamlit")], max_size=None) as session:
            for slug in slugs:
                title, exceptions, addresses = visit(session, page_of(knowledge, slug), f"id={slug}")
                wrong += [f"{slug}: {exception}" for exception in exceptions] + ([] if title else [f"{slug}: no title"])
                wrong += [f"{slug}: dead link {address}" for address in faults(knowledge, addresses - links)]
                links |= addresses
    finally:
        process.terminate()
        process.wait(timeout=30)
    told = [line for line in log.read_text(encoding="utf-8").splitlines() if _ERRORS.search(line)]
    for line in (*wrong, *told):
        print(line)
    print(f"{len(slugs)} pages, {len(links)} different links, {len(wrong)} faults, {len(told)} lines of errors in the log, "
          f"{(time.monotonic() - start) / len(slugs) * 1000:.0f} ms a page")  # fmt: skip
    return len(wrong) + len(told)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every N-th entity")
    sys.exit(bool(crawl(parser.parse_args().every)))

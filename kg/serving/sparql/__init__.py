"""SPARQL over the graph: queries in worker processes under limits, in all formats of the protocol.

    media, query      what was asked, in which format, and its evaluation on a store
    limits, cache     what may be used, and what is kept
    federation        which other servers may be asked
    workers           the processes that evaluate
    endpoint          all of it together
"""

from kg.serving.sparql.endpoint import Endpoint
from kg.serving.sparql.errors import QueryError
from kg.serving.sparql.limits import Limits
from kg.serving.sparql.query import Answer, Formats, Query, as_text, run_locally

__all__ = ["Answer", "Endpoint", "Formats", "Limits", "Query", "QueryError", "as_text", "run_locally"]

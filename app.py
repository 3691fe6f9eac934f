"""The server: explorer, JSON API and SPARQL endpoint on one port. Wiring only.

`python -m kg serve` runs it with uvicorn; `streamlit run app.py` works too.
"""

from pathlib import Path

import streamlit
from starlette.types import ASGIApp

from kg.serving.api import Front, lifespan, protocol, routes

_routes = routes()
app: ASGIApp = streamlit.App(Path(__file__).parent / "explorer" / "main.py", routes=_routes, lifespan=lifespan)
app = Front(app, protocol.rates, _routes)  # around all, even what Streamlit lays around its own middleware

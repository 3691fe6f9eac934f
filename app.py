"""The server: explorer, JSON API and SPARQL endpoint on one port. Wiring only.

`python -m kg serve` runs it with uvicorn; `streamlit run app.py` works too.
"""

from pathlib import Path

import streamlit
from starlette.middleware import Middleware

from kg.serving.api import Front, lifespan, protocol, routes

_routes = routes()
app = streamlit.App(Path(__file__).parent / "explorer" / "main.py", routes=_routes, lifespan=lifespan,
                    middleware=[Middleware(Front, rates=protocol.rates, routes=_routes)])  # fmt: skip

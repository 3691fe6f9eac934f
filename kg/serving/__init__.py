"""The surfaces of the query layer: command line, JSON API, SPARQL."""

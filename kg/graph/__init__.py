"""From Turtle to a graph in memory: build, cache, load, names. Imports nothing of the rest."""

"""Safety, score, ranking and reasons over a loaded graph. Imports kg.graph alone."""

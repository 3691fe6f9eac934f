"""Tools for those who write the knowledge: import of tables, canonical Turtle, checks."""

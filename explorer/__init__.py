"""The explorer: Streamlit pages over the query layer.

One file a page in views/, shared parts beside it. The folder must not be named pages/: Streamlit would then run a page
without main.py, and so without style and navigation, for the first visitor who follows a link to it.
"""

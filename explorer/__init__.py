"""The explorer: Streamlit pages over the query layer. One file a page in pages/, shared parts beside it."""

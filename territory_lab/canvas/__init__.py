"""The map on a canvas: its scripts and its style, and as plain data what they draw, for a notebook or for a page."""

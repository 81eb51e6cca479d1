"""The pictures of a run: one file a picture, found by name in one registry."""

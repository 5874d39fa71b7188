"""Runs of an editor's session: started, followed, found again, pinned."""

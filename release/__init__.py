"""Builds the files of a release, and tries each of them where nothing else of codeens is."""

"""The engine of codeens and its doors."""

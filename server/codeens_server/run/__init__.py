"""One run, from the request to the ranked report."""

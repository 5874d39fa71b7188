"""The team's view: runs, live and done, who wins and what it costs, over HTTP."""

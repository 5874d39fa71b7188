"""What an editor shows of runs and lets its user do: actions, lenses, hovers, commands."""

"""What a change of a repository does to its functions: each that changed is judged against what it was."""

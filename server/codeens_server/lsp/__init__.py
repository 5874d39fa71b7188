"""The language server: codeens in any editor that speaks the Language Server Protocol."""

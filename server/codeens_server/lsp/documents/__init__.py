"""Documents as the editor has them: their text, their functions, and edits of them."""

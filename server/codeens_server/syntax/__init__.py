"""Text of Python as trees: what is broken, hostile or newer than this interpreter included."""

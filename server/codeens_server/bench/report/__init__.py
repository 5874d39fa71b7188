"""What the lines of a benchmark come to, for people: rows, comparisons, pictures, a page."""

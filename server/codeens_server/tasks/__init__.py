"""Tasks given from outside: their schema, and how programs are judged on them."""

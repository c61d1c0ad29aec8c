"""``@name`` in a cell: what it refers to, how much of it may go out, and as what."""

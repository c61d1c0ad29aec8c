"""What pasted code has to know of the live data: which files it reads, what it would change, what it has typed in."""

"""Scripts that run in other processes; they import the standard library and what they serve, never this package."""

"""The embedded engine: the Interactions protocol served by this computer."""

"""The user's own functions as tools of a model: declared from their signatures, called when the model asks."""

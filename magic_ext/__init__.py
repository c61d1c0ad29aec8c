"""``%%gemini_exec``: ask about your data in a Jupyter cell; get code that ran, its results and figures, and the code back."""

"""All that touches a front end: how a step looks and is drawn, how code gets into new cells, how an error reads."""

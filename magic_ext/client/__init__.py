"""The client of an Interactions endpoint: keys, requests, streams, retries, errors."""

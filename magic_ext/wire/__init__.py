"""The Interactions protocol as values: content, steps, events, usage, requests. Nothing in here does I/O.

Decoding is tolerant: what this package does not know survives as raw JSON. Encoding is strict.
The facts behind every field stand in the wire digest of the project (``facts/wire.md``), named by section.
"""

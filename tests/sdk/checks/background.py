"""A run in the background: seen while it works, cancelled, and seen to have ended."""

import time

from google import genai

client = genai.Client()
started = client.interactions.create(
    model="gemini-3-flash-preview", input="Take your time.", tools=[{"type": "code_execution"}], background=True
)
assert started.status == "in_progress", started
while not any(step.type == "code_execution_result" for step in client.interactions.get(started.id).steps):
    time.sleep(0.2)  # until the code runs; the caller's limit of time ends a run that never gets there
seen = []
for event in client.interactions.get(started.id, stream=True):  # taken up while it works
    seen.append(event.event_id)
    if event.event_type == "step.delta" and event.delta.type == "code_execution_result":
        break
again = client.interactions.get(started.id, stream=True, last_event_id=seen[-2])
assert next(iter(again)).event_id == seen[-1]
cancelled = client.interactions.cancel(started.id)
assert cancelled.status == "cancelled", cancelled
ended = client.interactions.get(started.id)
assert ended.status == "cancelled", ended
assert "ended" not in str(ended.steps[-1]), ended.steps
events = list(client.interactions.get(started.id, stream=True))
assert events[-1].interaction.status == "cancelled"

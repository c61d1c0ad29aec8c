"""What was asked is kept, unless it must not be: get, resume after any event, go on in two ways, delete."""

from google import genai

client = genai.Client()
MODEL = "gemini-3-flash-preview"
TOOLS = [{"type": "code_execution"}]

events = list(client.interactions.create(model=MODEL, input="What is 6 * 7?", tools=TOOLS, stream=True))
first = events[0].interaction.id
kept = client.interactions.get(first)
assert (kept.id, kept.status) == (first, "completed")
assert kept.steps[-1].type == "model_output" and "42" in kept.steps[-1].content[0].text, kept.steps
with_input = client.interactions.get(first, include_input=True)
assert [step.type for step in with_input.steps] == ["user_input", *(step.type for step in kept.steps)]

ids = [event.event_id for event in events]
assert all(ids) and len(set(ids)) == len(ids), ids
for position in (0, len(ids) // 2, len(ids) - 1):
    again = client.interactions.get(first, stream=True, last_event_id=ids[position])
    assert [event.event_id for event in again] == ids[position + 1 :], position
assert [event.event_id for event in client.interactions.get(first, stream=True)] == ids

branches = [
    client.interactions.create(model=MODEL, input=question, tools=TOOLS, previous_interaction_id=first)
    for question in ("What is 10 + 4?", "What is 100 - 1?")
]
assert [branch.previous_interaction_id for branch in branches] == [first, first]
for branch, result in zip(branches, ("14", "99"), strict=True):
    assert branch.status == "completed" and result in branch.steps[-1].content[0].text, branch.steps

client.interactions.delete(branches[0].id)
unkept = client.interactions.create(model=MODEL, input="What is 6 * 7?", tools=TOOLS, store=False)
assert unkept.status == "completed", unkept
for gone in (branches[0].id, unkept.id):
    try:
        client.interactions.get(gone)
    except Exception as error:
        assert type(error).__name__ == "NotFoundError" and error.status_code == 404, repr(error)
    else:
        raise AssertionError("an interaction that is not kept was given out")
assert client.interactions.get(branches[1].id).status == "completed"

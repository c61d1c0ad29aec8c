"""Several calls of the caller's functions at once, beside code that the server runs: answered together."""

from google import genai

client = genai.Client()
MODEL = "gemini-3-flash-preview"
TOOLS = [{"type": "code_execution"}, {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}]


def refused(**request):
    try:
        client.interactions.create(model=MODEL, tools=TOOLS, **request)
    except Exception as error:
        return error
    raise AssertionError(f"{request} was taken")


asked = client.interactions.create(model=MODEL, input="How warm is it in both?", tools=TOOLS)
assert asked.status == "requires_action", asked
kinds = [step.type for step in asked.steps]
assert kinds[1:] == ["function_call", "function_call", "code_execution_call", "code_execution_result"], kinds
calls = [step for step in asked.steps if step.type == "function_call"]
assert [call.arguments["city"] for call in calls] == ["Bonn", "Ulm"] and calls[0].id != calls[1].id, calls
results = [
    {"type": "function_result", "name": call.name, "call_id": call.id, "result": {"celsius": degrees}}
    for call, degrees in zip(calls, (21, 18), strict=True)
]
answered = client.interactions.create(model=MODEL, input=results, tools=TOOLS, previous_interaction_id=asked.id)
assert answered.status == "completed", answered
assert answered.steps[-1].content[0].text == "39 in all.", answered.steps

error = refused(previous_interaction_id=asked.id, input=[{**results[0], "call_id": "call_of_another"}])
assert type(error).__name__ == "BadRequestError" and "call_of_another" in str(error), repr(error)
error = refused(input=[results[0]])
assert type(error).__name__ == "BadRequestError", repr(error)

cited = {"type": "text", "text": "Two.", "annotations": [{"type": "url_citation", "start_index": 0, "end_index": 4}]}
chained = client.interactions.create(
    model=MODEL,
    input=[
        {"type": "user_input", "content": [{"type": "text", "text": "One?"}]},
        {"type": "thought", "signature": "c2ln"},
        {"type": "model_output", "content": [cited]},
        {"type": "user_input", "content": [{"type": "text", "text": "And?"}]},
    ],
)
kept = client.interactions.get(chained.id, include_input=True).steps
assert kept[1].signature == "c2ln", kept
assert (kept[2].content[0].annotations[0].start_index, kept[2].content[0].annotations[0].end_index) == (0, 4), kept

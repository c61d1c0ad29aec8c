"""An answer as JSON by a schema, in every shape in which a format may come; what can't be had is refused."""

import json

from google import genai

client = genai.Client()
SCHEMA = {"type": "object", "properties": {"pedals": {"type": "integer"}}, "required": ["pedals"]}
TEXT = {"type": "text", "mime_type": "application/json", "schema": SCHEMA}
QUESTION = {"model": "gemini-3-flash-preview", "input": "How many?", "tools": [{"type": "code_execution"}]}

for given in (TEXT, [TEXT], {"type": "text", "mime_type": "application/json"}):
    answered = client.interactions.create(**QUESTION, response_format=given)
    assert answered.status == "completed", answered
    assert [step.type for step in answered.steps][-1] == "model_output", answered.steps
    assert json.loads(answered.steps[-1].content[0].text) == {"pedals": 4}, answered.steps
    assert "code_execution_result" in [step.type for step in answered.steps]

events = list(client.interactions.create(**QUESTION, response_format=TEXT, stream=True))
texts = [event.delta.text for event in events if event.event_type == "step.delta" and event.delta.type == "text"]
assert json.loads("".join(texts)) == {"pedals": 4}, texts
assert events[-1].interaction.status == "completed"

other = {**TEXT, "schema": {**SCHEMA, "required": ["keys"]}}
failed = client.interactions.create(**QUESTION, response_format=other)
assert failed.status == "failed", failed
assert "keys" in failed.model_dump()["errors"][0]["message"], failed

for wrong in (
    {"type": "image", "mime_type": "image/jpeg"},
    [TEXT, {"type": "audio"}],
    {**TEXT, "schema": {"type": "x"}},
):
    try:
        client.interactions.create(**QUESTION, response_format=wrong)
    except Exception as error:
        assert type(error).__name__ == "BadRequestError" and error.status_code == 400, repr(error)
        assert error.body["error"]["code"] == "invalid_request", error.body
    else:
        raise AssertionError(f"{wrong} was taken")

"""The caller's own function beside the server's code: called, answered, the result worked on; unary and streamed."""

import json

from google import genai

client = genai.Client()
MODEL = "gemini-3-flash-preview"
TOOLS = [
    {"type": "code_execution"},
    {
        "type": "function",
        "name": "get_weather",
        "description": "The temperature in a city, in degrees Celsius.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
]

asked = client.interactions.create(model=MODEL, input="How warm is it in Zürich, in Fahrenheit?", tools=TOOLS)
assert asked.status == "requires_action", asked
call = asked.steps[-1]
assert (call.type, call.name, call.arguments) == ("function_call", "get_weather", {"city": "Zürich"}), call
for result in ({"celsius": 21}, "21", [{"type": "text", "text": json.dumps({"celsius": 21})}]):
    answered = client.interactions.create(
        model=MODEL,
        previous_interaction_id=asked.id,
        input=[{"type": "function_result", "name": call.name, "call_id": call.id, "result": result}],
        tools=TOOLS,
    )
    assert answered.status == "completed", answered
    kinds = [step.type for step in answered.steps]
    assert kinds == ["model_output", "code_execution_call", "code_execution_result", "model_output"], kinds
    assert answered.steps[2].result == "69.8\n", answered.steps[2]

events = list(client.interactions.create(model=MODEL, input="And now?", tools=TOOLS, stream=True))
assert events[-1].event_type == "interaction.completed"
assert events[-1].interaction.status == "requires_action"
assert any(event.event_type == "step.start" and event.step.type == "function_call" for event in events)

"""A stream: all its events, its steps in order, what the code printed."""

from google import genai

client = genai.Client()
events = list(
    client.interactions.create(
        model="gemini-3-flash-preview",
        input="What is the sum of the first 50 prime numbers?",
        tools=[{"type": "code_execution"}],
        stream=True,
    )
)
kinds = [event.event_type for event in events]
assert kinds[0] == "interaction.created", kinds
assert kinds[-1] == "interaction.completed", kinds
assert set(kinds[1:-1]) == {"interaction.status_update", "step.start", "step.delta", "step.stop"}, kinds
assert kinds.count("step.start") == kinds.count("step.stop")

started = [event.step.type for event in events if event.event_type == "step.start"]
assert started[-3:] == ["code_execution_call", "code_execution_result", "model_output"], started
deltas = [event.delta for event in events if event.event_type == "step.delta"]
dumped = [delta.model_dump() for delta in deltas]  # 2.0.0 leaves the arguments of a delta a dict, later ones do not
code = [delta["arguments"]["code"] for delta in dumped if delta["type"] == "code_execution_call"]
printed = "".join(delta["result"] for delta in dumped if delta["type"] == "code_execution_result")
answer = "".join(delta.text for delta in deltas if delta.type == "text")
assert len(code) == 1 and code[0].strip(), code
assert "5117" in printed, printed
assert "5117" in answer, answer

ended = events[-1].interaction
assert ended.status == "completed"
assert ended.id == events[0].interaction.id
usage = ended.usage
parts = (usage.total_input_tokens, usage.total_output_tokens, usage.total_tool_use_tokens, usage.total_thought_tokens)
assert usage.total_tokens == sum(parts) > 0, usage
assert [(count.modality, count.tokens) for count in usage.input_tokens_by_modality] == [
    ("text", usage.total_input_tokens)
], usage

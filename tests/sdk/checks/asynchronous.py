"""The SDK's asynchronous client: an answer, a stream, the stream read again, several at once."""

import asyncio

from google import genai

ASKED = {"model": "gemini-3-flash-preview", "tools": [{"type": "code_execution"}]}


async def main():
    client = genai.Client()
    create = client.aio.interactions.create
    stream = await create(input="What is 6 * 7?", stream=True, **ASKED)
    events = [event async for event in stream]
    again = await client.aio.interactions.get(events[0].interaction.id, stream=True)
    assert [event.event_id async for event in again] == [event.event_id for event in events]
    answers = await asyncio.gather(*(create(input=f"What is {n} * 7?", **ASKED) for n in (6, 7)))
    for answered, result in zip(answers, ("42", "49"), strict=True):
        assert answered.status == "completed" and result in answered.steps[-1].content[0].text, answered


asyncio.run(main())

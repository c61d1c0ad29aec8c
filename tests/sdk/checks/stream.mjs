// A stream: all its events and what the code printed; read again, whole and from every event on; deleted.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const all = async (stream) => {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
};

const client = new GoogleGenAI({});
const events = await all(await client.interactions.create({
  model: "gemini-3-flash-preview",
  input: "What is the sum of the first 50 prime numbers?",
  tools: [{ type: "code_execution" }],
  stream: true,
}));
assert.equal(events[0].event_type, "interaction.created");
assert.equal(events.at(-1).event_type, "interaction.completed");
assert.equal(events.at(-1).interaction.status, "completed");
const printed = events
  .filter((event) => event.delta?.type === "code_execution_result")
  .map((event) => event.delta.result ?? "")
  .join("");
assert.match(printed, /5117/);

const { id } = events[0].interaction;
const ids = events.map((event) => event.event_id);
assert.equal(new Set(ids).size, ids.length);
for (const position of [0, Math.floor(ids.length / 2), ids.length - 1]) {
  const rest = await all(await client.interactions.get(id, { stream: true, last_event_id: ids[position] }));
  assert.deepEqual(rest.map((event) => event.event_id), ids.slice(position + 1));
}
const kept = await client.interactions.get(id);
assert.equal(kept.status, "completed");
assert.equal(kept.steps.at(-1).type, "model_output");

await client.interactions.delete(id);
await assert.rejects(client.interactions.get(id), { name: "NotFoundError", status: 404 });

// The Files API: upload, list, get, ask about an uploaded table, delete.
import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { GoogleGenAI } from "@google/genai";

const table = process.env.TABLE;
const client = new GoogleGenAI({});
const uploaded = await client.files.upload({ file: table, config: { mimeType: "text/csv", displayName: "Pinguine" } });
assert.equal(uploaded.state, "ACTIVE");
assert.equal(Number(uploaded.sizeBytes), (await stat(table)).size);
assert.equal(uploaded.displayName, "Pinguine");
assert.equal((await client.files.get({ name: uploaded.name })).uri, uploaded.uri);

const large = new Blob(["0123456789".repeat(1_700_000)]); // three chunks of the SDK's 8 MiB
const other = await client.files.upload({ file: large, config: { mimeType: "application/octet-stream" } });
assert.equal(Number(other.sizeBytes), 17_000_000);
const names = async (pageSize) => {
  const found = [];
  for await (const file of await client.files.list({ config: { pageSize } })) found.push(file.name);
  return found;
};
for (const size of [1, 100]) {
  const found = await names(size);
  assert.ok(found.includes(uploaded.name) && found.includes(other.name));
  assert.equal(new Set(found).size, found.length);
}

const answered = await client.interactions.create({
  model: "gemini-3-flash-preview",
  input: [
    { type: "document", uri: uploaded.uri, mime_type: "text/csv" },
    { type: "text", text: "What is the mean body mass by species?" },
  ],
  tools: [{ type: "code_execution" }],
});
assert.match(JSON.stringify(answered), /5076\.02/);

const named = (name) => client.files.upload({ file: table, config: { mimeType: "text/csv", name } });
const chosen = await named("pinguine-3");
assert.equal(chosen.name, "files/pinguine-3");
for (const name of ["files/pinguine-3", "-pinguine"]) await assert.rejects(named(name), /4(09|00)/);

for (const file of [uploaded, other, chosen]) await client.files.delete({ name: file.name });
assert.ok(!(await names(100)).includes(uploaded.name));
await assert.rejects(client.files.get({ name: uploaded.name }), { status: 404 });

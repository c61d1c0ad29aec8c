// Loaded before a sample (node --import): the one picture on the web is a file, PICTURE.
import { readFile } from "node:fs/promises";

const onTheWeb = globalThis.fetch;
globalThis.fetch = async (address, ...rest) =>
  address === "https://goo.gle/instrument-img"
    ? new Response(await readFile(process.env.PICTURE))
    : onTheWeb(address, ...rest);

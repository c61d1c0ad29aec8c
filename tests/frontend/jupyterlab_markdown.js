// Renders Markdown, a JSON string a line, as JupyterLab does: math out, "marked", math in. The code is the installed
// JupyterLab's own: argument 1 is the chunk of "marked", argument 2 the source of the module with the math passes.
const fs = require("fs");

globalThis.navigator ??= {};
const pushed = [];
const self_ = new Proxy({}, { get: () => ({ push: (chunk) => pushed.push(chunk) }) });
new Function("self", fs.readFileSync(process.argv[2], "utf8"))(self_);

function load(factory) {
  const exports = {};
  const require_ = () => ({});
  require_.r = () => {};
  require_.d = (target, getters) => {
    for (const name in getters) Object.defineProperty(target, name, { get: getters[name], enumerable: true });
  };
  factory({ exports }, exports, require_);
  return exports;
}

const modules = Object.values(pushed[0][1]);
const { Marked } = load(modules.find((module) => module.toString().includes("Tokenizer")));
const math = Object.values(load(eval("({" + fs.readFileSync(process.argv[3], "utf8").replace(/^\d+/, "'m'") + "})").m));
const removeMath = math.find((pass) => pass.length === 1);
const replaceMath = math.find((pass) => pass.length === 2);

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
const marked = new Marked({ gfm: true });
// JupyterLab's own renderer of code puts the info string into the class as it is.
marked.use({
  renderer: { code: ({ text, lang }) => `<pre><code class="language-${lang || ""}">${escaped(text)}</code></pre>` },
});

for (const line of fs.readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const taken = removeMath(JSON.parse(line));
  console.log(JSON.stringify(replaceMath(marked.parse(taken.text), taken.math)));
}

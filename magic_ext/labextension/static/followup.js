// The field below an answer: what is typed there becomes a cell that goes on from it, and is run.
// The notebook stays the record: there is no chat beside it.

const MIME = "application/vnd.gemini-exec.follow-up+json";
const STYLE = `
.gemini-exec-follow-up { display: flex; padding: 2px 0 4px; }
.gemini-exec-follow-up input {
  flex: 1; min-width: 0; font: inherit; font-size: var(--jp-ui-font-size1); padding: 3px 10px; border-radius: 3px;
  color: var(--jp-ui-font-color1); background: var(--jp-layout-color1);
  border: var(--jp-border-width) solid var(--jp-border-color2);
}
.gemini-exec-follow-up input:focus { outline: none; border-color: var(--jp-brand-color1); }
.gemini-exec-follow-up input::placeholder { color: var(--jp-ui-font-color2); }
`;

/** Model and place of a question, from its first line: what goes on from it is asked there too. */
const sameModel = (source) => {
  const line = source.trimStart().split("\n")[0];
  return [...line.matchAll(/(?:^|\s)((?:-m|--model|--run)[ =](?:"[^"]*"|\S+))/g)].map((match) => ` ${match[1]}`).join("");
};

const answersIn = (notebook) =>
  notebook.widgets
    .flatMap((cell) => cell.model.outputs?.toJSON() ?? [])
    .map((output) => output.metadata?.gemini_exec?.answered ?? 0);

/** The magic's line for a question that goes on from an answer: the last one of all, or one that is named. */
const continuing = (cell, notebook, { answered, interaction_id }) => {
  const last = (answered ?? 0) >= Math.max(...answersIn(notebook)) || !interaction_id;
  return `%%gemini_exec -c${last ? "" : `=${interaction_id}`}${sameModel(cell.model.sharedModel.getSource())}`;
};

export const activate = (tracker, actions, registry, markdown, { Panel, Widget }, { insertBelow }) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: STYLE }));

  class Footer extends Panel {
    constructor(options) {
      super();
      this.text = markdown.createRenderer({ ...options, mimeType: "text/markdown" });
      this.form = new Widget({ node: document.createElement("form") });
      this.form.addClass("gemini-exec-follow-up");
      this.form.node.dataset.lmSuppressShortcuts = "true"; // else letters typed here are JupyterLab's shortcuts
      this.addWidget(this.text);
      this.addWidget(this.form);
    }

    async renderModel(model) {
      await this.text.renderModel(model);
      const field = Object.assign(document.createElement("input"), { type: "text", placeholder: "Ask a follow-up" });
      field.setAttribute("aria-label", "Ask a follow-up question; Enter runs it in a new cell below");
      field.onkeydown = (event) => {
        if (event.key !== "Enter" || event.isComposing) return;
        event.preventDefault(); // the notebook would take the key, and nothing be submitted
        event.stopPropagation();
        this.form.node.requestSubmit();
      };
      this.form.node.replaceChildren(field);
      this.form.node.onsubmit = (event) => {
        event.preventDefault();
        if (field.value.trim() && this.ask(field.value.trim(), model.metadata.gemini_exec ?? {})) field.value = "";
      };
    }

    ask(question, origin) {
      const panel = tracker.find((panel) => panel.node.contains(this.node));
      const notebook = panel?.content;
      const cell = notebook?.widgets.find((cell) => cell.node.contains(this.node));
      if (!cell) return false;
      const source = `${continuing(cell, notebook, origin)}\n${question}`;
      const metadata = { gemini_exec: { interaction_id: origin.interaction_id } };
      const before = new Set(notebook.widgets.map((one) => one.model.id));
      if (!insertBelow(panel, cell.model.id, [{ type: "code", source, metadata }], origin.interaction_id)) return false;
      notebook.activeCellIndex = notebook.widgets.findIndex((one) => !before.has(one.model.id));
      actions.run(notebook, panel.sessionContext);
      return true;
    }
  }

  registry.addFactory({ safe: true, mimeTypes: [MIME], createRenderer: (options) => new Footer(options) }, 50);
};

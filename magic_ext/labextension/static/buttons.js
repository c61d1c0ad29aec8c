// The buttons below a block of code: "Insert" puts it into a new cell, "Insert all" every block of the answer.
// They read the saved output alone, so they work after reopening, without a kernel.

const MIME = "application/vnd.gemini-exec.cells+json";
const ALL = "application/vnd.gemini-exec.all-cells+json";
const STYLE = `
.gemini-exec-block { padding: 4px 0; }
.gemini-exec-block .jp-RenderedMarkdown { padding: 0; }
.gemini-exec-block .jp-RenderedMarkdown pre,
.jp-OutputArea:has(.gemini-exec-progress, .gemini-exec-follow-up) .jp-RenderedMarkdown > pre:only-child {
  margin: 0; padding: 8px 12px; overflow-x: auto; background: var(--jp-cell-editor-background);
  border: var(--jp-border-width) solid var(--jp-border-color2); border-radius: 3px;
}
.gemini-exec-block .jp-RenderedMarkdown pre { border-bottom-left-radius: 0; }
.jp-OutputArea:has(.gemini-exec-progress, .gemini-exec-follow-up) .jp-RenderedMarkdown > pre:only-child {
  margin: 4px -20px 4px 0; /* as wide as those with buttons: JupyterLab leaves 20px free there */
}
.jp-OutputArea:has(.gemini-exec-progress, .gemini-exec-follow-up) .jp-RenderedMarkdown > pre:only-child > code,
.gemini-exec-block .jp-RenderedMarkdown pre code { background: none; }
.gemini-exec-buttons { display: flex; }
.gemini-exec-buttons button {
  font: inherit; font-size: var(--jp-ui-font-size1); line-height: 1.6; padding: 0 10px; cursor: pointer;
  color: var(--jp-ui-font-color1); background: var(--jp-layout-color1);
  border: var(--jp-border-width) solid var(--jp-border-color2); border-width: 0 1px 1px 0;
}
.gemini-exec-buttons button:first-child { border-left-width: 1px; border-bottom-left-radius: 3px; }
.gemini-exec-buttons button:last-child { border-bottom-right-radius: 3px; }
.gemini-exec-buttons button:hover { background: var(--jp-layout-color2); }
.gemini-exec-buttons button:focus-visible { outline: 2px solid var(--jp-brand-color1); outline-offset: 1px; }
`;

/** Cells as an output holds them; which answer they come from stands in the output's metadata. */
const cellsOf = (cells, { interaction_id, place }) =>
  cells.map((cell) => ({ ...cell, metadata: { gemini_exec: { ...cell.metadata?.gemini_exec, interaction_id, place } } }));

/** All blocks of the answer that stands below a cell: one output after them holds them. */
const allBelow = (cell) => {
  const outputs = cell?.model.outputs.toJSON() ?? [];
  return outputs.find((output) => output.data?.[ALL])?.data[ALL].cells ?? [];
};

export const activate = (tracker, registry, markdown, { Panel, Widget }, { insertBelow }) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: STYLE }));

  class Block extends Panel {
    constructor(options) {
      super();
      this.addClass("gemini-exec-block");
      this.text = markdown.createRenderer({ ...options, mimeType: "text/markdown" });
      this.bar = new Widget({ node: document.createElement("div") });
      this.bar.addClass("gemini-exec-buttons");
      this.bar.node.dataset.lmSuppressShortcuts = "true"; // else Enter on a button edits the cell
      this.addWidget(this.text);
      this.addWidget(this.bar);
    }

    async renderModel(model) {
      await this.text.renderModel(model);
      const { cells = [], all = 1 } = model.data[MIME] ?? {};
      const origin = model.metadata.gemini_exec ?? {};
      const add = (text, label, chosen) => this.bar.node.append(this.button(text, label, chosen, origin));
      this.bar.node.replaceChildren();
      add("Insert", `Insert block ${origin.block ?? ""} into a new cell below`, () => cells);
      if (all > 1) add(`Insert all ${all}`, `Insert all ${all} blocks into new cells below`, () => allBelow(this.cell()));
    }

    button(text, label, chosen, origin) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: text, title: label });
      button.setAttribute("aria-label", label);
      button.onclick = () => {
        const panel = this.panel();
        const cells = cellsOf(chosen(), origin);
        const done = panel && insertBelow(panel, this.cell()?.model.id, cells, origin.interaction_id);
        button.textContent = done ? "Inserted" : "Not inserted";
        setTimeout(() => (button.textContent = text), 1500);
      };
      return button;
    }

    panel() {
      return tracker.find((panel) => panel.node.contains(this.node));
    }

    cell() {
      return this.panel()?.content.widgets.find((cell) => cell.node.contains(this.node));
    }
  }

  // Below 60, where Markdown stands: JupyterLab shows the type with the lowest rank that an output has.
  registry.addFactory({ safe: true, mimeTypes: [MIME], createRenderer: (options) => new Block(options) }, 50);
};

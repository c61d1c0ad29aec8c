// "Stop" beside the line of progress: the kernel's interrupt, as by the toolbar's button. It is there while the cell runs.

const LOOK = 250; // milliseconds between two looks for a line of progress
const LABEL = "Stop this question (interrupts the kernel)";
const GONE = ["dead", "restarting", "autorestarting", "terminating"];
const STYLE = `
.gemini-exec-stop {
  font: inherit; font-size: var(--jp-ui-font-size1); line-height: 1.6; margin-left: 10px; padding: 0 10px; cursor: pointer;
  color: var(--jp-ui-font-color1); background: var(--jp-layout-color1);
  border: var(--jp-border-width) solid var(--jp-border-color2); border-radius: 3px;
}
.gemini-exec-stop:hover { background: var(--jp-layout-color2); }
.gemini-exec-stop:focus-visible { outline: 2px solid var(--jp-brand-color1); outline-offset: 1px; }
`;

const made = (panel) => {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Stop", title: LABEL });
  button.className = "gemini-exec-stop";
  button.setAttribute("aria-label", LABEL);
  button.dataset.lmSuppressShortcuts = "true"; // else Enter on it edits the cell
  button.onclick = async () => {
    button.blur();
    panel.content.activate(); // the button goes; who pressed it by key stays in the notebook
    button.disabled = true;
    await panel.sessionContext.session?.kernel?.interrupt().catch(() => {});
    button.disabled = false; // code may have swallowed it
  };
  return button;
};

/** Whether the cell around a node is under way: a line that a dead kernel has left behind can't be stopped.
 * That a kernel is "busy" its status does not say while a widget's messages go by. */
const runs = (panel, node) => {
  const prompt = node.closest(".jp-Cell")?.querySelector(".jp-InputPrompt");
  const status = panel?.sessionContext.session?.kernel?.status ?? "dead";
  return !GONE.includes(status) && Boolean(prompt?.textContent.includes("*"));
};

export const activate = (tracker) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: STYLE }));
  const lines = document.getElementsByClassName("gemini-exec-progress"); // it follows the page by itself
  setInterval(() => {
    for (const line of [...lines]) {
      const place = line.closest(".widget-html"); // the widget's own node: what it shows is replaced line by line
      const panel = tracker.find((panel) => panel.node.contains(line));
      const button = place?.querySelector(".gemini-exec-stop");
      if (!runs(panel, line)) button?.remove();
      else if (place && !button) place.append(made(panel));
    }
  }, LOOK);
};

// Cells into a notebook: those that a running cell's reply carries, and those that a button asks for.
// JupyterLab itself makes one code cell of a set_next_input payload; one that carries `gemini_exec.cells` becomes N cells.

const KEY = "gemini_exec";

const cellOf = ({ type, source, metadata }) => ({
  cell_type: type === "markdown" ? "markdown" : "code",
  source: String(source ?? ""),
  metadata: { ...metadata, trusted: false }, // as JupyterLab does for set_next_input
});

/** The position of a cell, and of the last of those that were inserted below it from the same answer. */
const placeBelow = (shared, id, interaction) => {
  let at = shared.cells.findIndex((cell) => cell.id === id);
  const from = (cell) => cell?.getMetadata(KEY)?.interaction_id;
  while (at >= 0 && interaction && from(shared.cells[at + 1]) === interaction) at += 1;
  return at;
};

/** Insert cells below the cell `id`, in one step that Undo takes back; false where that cell is gone. */
export const insertBelow = (panel, id, cells, interaction) => {
  const shared = panel.model.sharedModel;
  const at = placeBelow(shared, id, interaction);
  if (at < 0) return false;
  shared.transact(() => shared.insertCells(at + 1, cells.map(cellOf)));
  return true;
};

/** Put the payload's cells around the one cell that JupyterLab has made of its joined text. */
const split = (shared, at, payload) => {
  const cells = payload[KEY].cells.map(cellOf);
  const made = shared.cells[at + 1];
  const first = cells.findIndex((cell) => cell.cell_type === "code");
  shared.transact(() => {
    if (first < 0 || made?.getSource() !== payload.text) {
      shared.insertCells(at + 1, cells); // JupyterLab makes none where the cell failed after it had asked for one
      return;
    }
    // Taking the made cell out would move JupyterLab's active cell, and with it what somebody types: it is kept.
    made.setSource(cells[first].source);
    made.setMetadata({ ...made.getMetadata(), ...cells[first].metadata });
    shared.insertCells(at + 2, cells.slice(first + 1));
    shared.insertCells(at + 1, cells.slice(0, first));
  });
};

export const activate = (tracker, actions) => {
  const pending = new Map(); // by cell: what its reply carried, until JupyterLab has handled that reply
  const watched = new WeakSet();
  const note = (_, { msg, direction }) => {
    if (direction !== "recv" || msg.header.msg_type !== "execute_reply") return;
    const asks = ({ source, [KEY]: ours }) => source === "set_next_input" && ours?.cell_id && ours.cells?.length;
    const payload = (msg.content.payload ?? []).find(asks);
    if (payload) pending.set(payload[KEY].cell_id, payload);
  };
  const watch = (kernel) => {
    if (!kernel || watched.has(kernel)) return;
    watched.add(kernel);
    kernel.anyMessage.connect(note);
  };
  const hook = (panel) => {
    watch(panel.sessionContext.session?.kernel);
    panel.sessionContext.kernelChanged.connect((_, { newValue }) => watch(newValue));
  };
  tracker.forEach(hook);
  tracker.widgetAdded.connect((_, panel) => hook(panel));
  actions.executed.connect((_, { notebook, cell }) => {
    const payload = pending.get(cell.model.id);
    if (!pending.delete(cell.model.id)) return;
    const shared = notebook.model.sharedModel;
    const at = shared.cells.findIndex(({ id }) => id === cell.model.id);
    if (at >= 0) split(shared, at, payload);
  });
};

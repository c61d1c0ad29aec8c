// A prompt is prose: its cell is edited as Markdown, without Python's colours and indentation.

const MAGIC = /^%%gemini_exec(\s|$)/;
const PROSE = "text/x-ipythongfm";

const watch = (cell) => {
  if (cell.model.type !== "code") return;
  let code = cell.model.mimeType;
  const fit = () => {
    const prompt = MAGIC.test(cell.model.sharedModel.getSource());
    if (cell.model.mimeType !== PROSE) code = cell.model.mimeType; // the kernel's language, which may come late
    const wanted = prompt ? PROSE : code;
    if (cell.model.mimeType !== wanted) cell.model.mimeType = wanted;
  };
  cell.model.sharedModel.changed.connect(fit);
  cell.model.mimeTypeChanged.connect(fit);
  fit();
};

export const activate = (tracker) => {
  const watched = new WeakSet();
  const look = (notebook) =>
    notebook.widgets.forEach((cell) => {
      if (watched.has(cell)) return;
      watched.add(cell);
      watch(cell);
    });
  const hook = (panel) => {
    look(panel.content);
    panel.content.modelContentChanged.connect(look);
  };
  tracker.forEach(hook);
  tracker.widgetAdded.connect((_, panel) => hook(panel));
};

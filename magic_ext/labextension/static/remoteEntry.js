// The labextension's entry: a module-federation container written by hand, so that nothing has to be built.
// JupyterLab calls init() with the modules that it shares, then get("./extension") for the plugins.
(() => {
  const NAME = "gemini-exec";
  const BASE = new URL(".", document.currentScript.src);
  const SHARED = ["@jupyterlab/notebook", "@jupyterlab/rendermime", "@lumino/widgets"];
  const OWN = ["cells.js", "buttons.js", "followup.js", "pictures.js", "progress.js", "prose.js", "stop.js"];
  let scope;

  const shared = async (name) => {
    const versions = Object.values(scope[name]);
    const factory = await (versions.find((version) => version.loaded) ?? versions[0]).get();
    return factory();
  };

  const plugin = async () => {
    const [notebook, rendermime, widgets] = await Promise.all(SHARED.map(shared));
    const own = await Promise.all(OWN.map((file) => import(new URL(file, BASE))));
    const [cells, buttons, followUp, pictures, progress, prose, stop] = own;
    return {
      id: `${NAME}:plugin`,
      description: "Cells, buttons and prompts of %%gemini_exec.",
      autoStart: true,
      requires: [notebook.INotebookTracker, rendermime.IRenderMimeRegistry],
      activate: (app, tracker, registry) => {
        cells.activate(tracker, notebook.NotebookActions);
        const markdown = rendermime.markdownRendererFactory;
        buttons.activate(tracker, registry, markdown, widgets, cells);
        followUp.activate(tracker, notebook.NotebookActions, registry, markdown, widgets, cells);
        pictures.activate(registry, rendermime);
        progress.activate();
        prose.activate(tracker);
        stop.activate(tracker);
      },
    };
  };

  (window._JUPYTERLAB ??= {})[NAME] = {
    init: (shares) => {
      scope = shares;
    },
    get: async (module) => {
      if (module !== "./extension") throw new Error(`gemini-exec has no module ${module}`);
      const exports = { __esModule: true, default: await plugin() };
      return () => exports;
    },
  };
})();

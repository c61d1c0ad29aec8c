// A picture's text for those who do not see it: it stands in the output's metadata, where JupyterLab does not look for it.

export const activate = (registry, { RenderedImage }) => {
  class Picture extends RenderedImage {
    async render(model) {
      await super.render(model);
      const alt = model.metadata[this.mimeType]?.alt;
      if (alt) this.node.querySelector("img").alt = alt;
    }
  }

  const mimeTypes = ["image/png", "image/jpeg", "image/gif", "image/webp"];
  registry.addFactory({ safe: true, mimeTypes, createRenderer: (options) => new Picture(options) }, 90); // its own rank
};

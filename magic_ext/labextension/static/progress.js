// How long what goes on has taken, and of how many seconds: the kernel is busy, so the page counts. A new line of progress
// begins anew.

const AFTER = 2; // seconds until it is worth telling
const STYLE = `
.gemini-exec-progress[data-seconds]::after { content: " · " attr(data-seconds) " s"; color: var(--jp-ui-font-color2); }
`;

export const activate = () => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: STYLE }));
  const began = new WeakMap();
  setInterval(() => {
    for (const line of document.querySelectorAll(".gemini-exec-progress")) {
      if (!began.has(line)) began.set(line, Date.now());
      const seconds = Math.round((Date.now() - began.get(line)) / 1000);
      const most = /\(at most (\d+) s\)/.exec(line.textContent)?.[1];
      if (seconds >= AFTER) line.dataset.seconds = most ? `${seconds} of ${most}` : String(seconds);
    }
  }, 1000);
};

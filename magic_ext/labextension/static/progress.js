// How long what goes on has taken, and of how many seconds: the kernel is busy, so the page counts. A new line of progress
// begins anew.
// A screen reader is told too, from one place that stays: what is drawn anew it does not say, or says too often.

const AFTER = 2; // seconds until it is worth telling
const PAUSE = 5; // seconds between two things that are said
const STYLE = `
.gemini-exec-progress[data-seconds]::after { content: " · " attr(data-seconds) " s"; color: var(--jp-ui-font-color2); }
.gemini-exec-said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
`;
const FAILED = '[data-mime-type$=".error"], [data-mime-type$=".stderr"]'; // JupyterLab draws an error as either

/** What is said of the answers whose progress is gone: the receipt has taken its place. */
const outcome = (areas) => {
  const seen = areas.filter((area) => area.isConnected);
  if (!seen.length) return "";
  return seen.some((area) => area.querySelector(FAILED)) ? "The question failed." : "The answer is there.";
};

export const activate = () => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: STYLE }));
  const voice = Object.assign(document.createElement("div"), { className: "gemini-exec-said" });
  voice.setAttribute("role", "status");
  document.body.append(voice);
  const began = new WeakMap();
  let going = [];
  let ended = [];
  let spoke = 0;
  setInterval(() => {
    const now = Date.now();
    const lines = [...document.querySelectorAll(".gemini-exec-progress")];
    for (const line of lines) {
      if (!began.has(line)) began.set(line, now);
      const seconds = Math.round((now - began.get(line)) / 1000);
      const most = /\(at most (\d+) s\)/.exec(line.textContent)?.[1];
      if (seconds >= AFTER) line.dataset.seconds = most ? `${seconds} of ${most}` : String(seconds);
    }
    const areas = lines.map((line) => line.closest(".jp-OutputArea")).filter(Boolean);
    const news = outcome(ended);
    ended = going.filter((area) => !areas.includes(area)); // told at the next tick: an error comes last of all
    going = areas;
    const next = lines.at(-1)?.textContent;
    if (news) [voice.textContent, spoke] = [news, 0];
    else if (next && next !== voice.textContent && now - spoke >= PAUSE * 1000) [voice.textContent, spoke] = [next, now];
  }, 1000);
};

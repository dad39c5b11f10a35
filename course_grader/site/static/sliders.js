// Figures with sliders: a frame for each position, drawn when the site was built.
"use strict";
for (const figure of document.querySelectorAll("figure.sliders")) {
  const image = figure.querySelector("img");
  const told = figure.querySelector(".told");
  const tracks = [...figure.querySelectorAll("input[type=range]")];
  const {frames} = JSON.parse(figure.querySelector("script").textContent);
  const address = (at) => `${figure.dataset.frames}/${at}.webp`;
  // As the frames were counted: the last slider's positions go fastest.
  const place = () =>
    tracks.reduce((at, one) => at * (Number(one.max) + 1) + Number(one.value), 0);

  const show = () => {
    for (const one of tracks) {
      const words = JSON.parse(one.dataset.values)[one.value];
      one.setAttribute("aria-valuetext", words);
      one.parentElement.querySelector("output").textContent = words;
    }
    const at = place();
    told.textContent = frames[at].error ?? ""; // the last picture stays, as in JupyterLab
    if (frames[at].alt === undefined) return;
    image.alt = frames[at].alt;
    image.src = address(at);
  };

  const kept = []; // so that the browser keeps them, too
  const load = () => {
    frames.forEach((frame, at) => {
      if (frame.alt === undefined) return;
      const one = new Image();
      one.src = address(at);
      kept.push(one);
    });
  };
  new IntersectionObserver((seen, watcher) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    watcher.disconnect();
    load();
  }, {rootMargin: "200px"}).observe(figure);
  for (const one of tracks) one.addEventListener("input", show);
  show(); // a browser that reloads a page keeps where its sliders stood
}

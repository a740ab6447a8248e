"use strict";
// What comes while it happens: the whole, then news. If nothing comes any more the page says so, and tries again.
{
  const LONGEST = 15;
  let wait = 1;

  function connection(words, lost) {
    byId("connection").textContent = words;
    byId("connection").dataset.lost = String(lost);
  }

  function onWhole(event) {
    wait = 1;
    connection("", false);
    showWhole(JSON.parse(event.data));
  }

  function onNews(event) {
    showNews(JSON.parse(event.data));
  }

  /** A browser goes on trying by itself only if it has not been refused: so we do. */
  function onError(source) {
    source.close();
    connection(data.is_over
      ? "ghostjob has ended. This is how it was in the end."
      : `The connection to ghostjob is lost. This is the last that came; the page tries again every ${count(wait, "second")}.`, true);
    setTimeout(listen, wait * 1000);
    wait = Math.min(wait * 2, LONGEST);
  }

  /** Listen to the stream beside the page. */
  function listen() {
    const source = new EventSource("stream");
    source.addEventListener("whole", onWhole);
    source.addEventListener("news", onNews);
    source.addEventListener("error", () => onError(source));
  }

  window.listen = listen;
}

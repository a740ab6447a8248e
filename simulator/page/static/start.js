"use strict";
// The data is in the page, as it is or packed, or it comes by the stream beside it.
{
  async function unpacked(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  }

  const inside = byId("data").textContent.trim();
  if (inside && byId("data").type === "application/gzip") unpacked(inside).then(showWhole, reportError);
  else if (inside) showWhole(JSON.parse(inside));
  else {
    say(...Object.keys(EMPTY));
    listen();
  }
}

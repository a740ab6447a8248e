"use strict";
// The data is in the page, or it comes by the stream beside it.
{
  const inside = byId("data").textContent.trim();
  if (inside) showWhole(JSON.parse(inside));
  else {
    say(...Object.keys(EMPTY));
    listen();
  }
}

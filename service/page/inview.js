// What is drawn only while it is in view.

import { Latest } from "./latest.js";
import { state } from "./state.js";

// Returns the function to call at a change: it draws at once, or when `element` comes into view.
export function whenInView(element, paint) {
  const latest = new Latest();
  let stale = true;
  let seen = false;
  const look = () => {
    if (!stale || !seen || !state.model) return;
    stale = false;
    latest.ask(paint, { now: true });
  };
  const see = ([entry]) => {
    seen = entry.isIntersecting;
    look();
  };
  new IntersectionObserver(see, { rootMargin: "200px" }).observe(element);
  return () => {
    stale = true;
    look();
  };
}

// Files to the visitor's disk, and text to the clipboard.

import { make } from "./dom.js";

export function save(file, name) {
  const link = make("a", { href: URL.createObjectURL(file), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// The clipboard needs a secure page; without one, the text is selected for the visitor to copy.
export async function copy(element, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(element.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(element);
    button.textContent = "Press Ctrl C";
  }
  setTimeout(() => (button.textContent = before), 2000);
}

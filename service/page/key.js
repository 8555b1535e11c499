// The API key, for a service that asks for one. The browser keeps it until this tab is closed.

import { make } from "./dom.js";

const PLACE = "faussaire-key";

let asking = null;

export const currentKey = () => sessionStorage.getItem(PLACE);

// Ask the visitor, once for all requests that wait. Throws `refused` if there is no answer.
export function askForKey(refused) {
  asking ??= ask(refused).finally(() => (asking = null));
  return asking;
}

function ask(refused) {
  const field = make("input", { type: "password", autocomplete: "off", required: true, ariaLabel: "Key" });
  const cancel = make("button", { type: "button", onclick: () => dialog.close("") }, "Cancel");
  const use = make("button", { value: "use" }, "Use this key");
  const form = make("form", { method: "dialog" }, make("p", {}, "This service asks for a key."), field, use, cancel);
  const dialog = make("dialog", { id: "key", ariaLabel: "Key" }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((known, unknown) =>
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (dialog.returnValue !== "use") return unknown(refused);
      sessionStorage.setItem(PLACE, field.value.trim());
      known();
    }),
  );
}

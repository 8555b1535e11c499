// Elements: find them, make them.

export const $ = (id) => document.getElementById(id);

// `make("button", { className: "quiet", onclick }, "Roll")`
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Three decimals, without the ending zeros.
export const short = (value) => String(Math.round(value * 1000) / 1000);

export const percent = (share) => `${(share * 100).toFixed(share > 0.9995 || share < 0.0005 ? 0 : 1)} %`;

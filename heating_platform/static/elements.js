// Elements of the installer's page and of its form: found by id, made with their children.

export const at = (id) => document.getElementById(id);

// A child of null is left out.
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

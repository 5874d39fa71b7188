// Elements in one expression. What candidates and models wrote is only ever text.

type Value = string | number | boolean | undefined | ((event: never) => void);
type Child = Node | string | undefined | false;

/** Makes an element; `on…` are listeners, `className` and `text` are what they say, the rest are attributes. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    set(element, name, value);
  }
  element.append(
    ...children.filter((child): child is Node | string => child !== undefined && child !== false),
  );
  return element;
}

/** Makes an element of a drawing. */
export function s(tag: string, attributes: Record<string, Value>, ...children: Child[]): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    set(element, name === "className" ? "class" : name, value);
  }
  element.append(
    ...children.filter((child): child is Node | string => child !== undefined && child !== false),
  );
  return element;
}

function set(element: Element, name: string, value: Value): void {
  if (typeof value === "function") {
    element.addEventListener(name.slice(2).toLowerCase(), value as unknown as EventListener);
  } else if (name === "className") {
    element.setAttribute("class", String(value ?? ""));
  } else if (value === true) {
    element.setAttribute(name, "");
  } else if (value !== undefined && value !== false) {
    element.setAttribute(name, String(value));
  }
}

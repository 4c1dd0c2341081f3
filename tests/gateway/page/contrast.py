"""A script for a browser that finds words with too little contrast (WCAG 2.2, 1.4.3)."""

CONTRAST = """
(() => {
  const parsed = (text) => text.match(/[\\d.]+/g).map(Number);
  const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const over = (top, under) => {
    const a = top[3] ?? 1;
    return [0, 1, 2].map((i) => top[i] * a + under[i] * (1 - a));
  };
  const faint = (e) => e ? getComputedStyle(e).opacity * faint(e.parentElement) : 1;
  const ground = (e) => {
    if (!e) return [255, 255, 255];
    const color = parsed(getComputedStyle(e).backgroundColor);
    return (color[3] ?? 1) === 1 ? color : over(color, ground(e.parentElement));
  };
  const poor = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !e.getClientRects().length || e.closest(".vh, .skip, option")) continue;
    const under = ground(e);
    const color = parsed(getComputedStyle(e).color);
    const ink = [...color.slice(0, 3), (color[3] ?? 1) * faint(e)];
    const [a, b] = [light(over(ink, under)), light(under)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const words = `${e.className || e.tagName} ${e.textContent.slice(0, 20)}`;
    if (ratio < 4.5) poor.push(`${words}: ${ratio.toFixed(2)}`);
  }
  return [...new Set(poor)];
})()
"""

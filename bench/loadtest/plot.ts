/** Plots as inline SVG: no script, no font and no address outside the file. */

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LinePlot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
  /** Where the x axis is labelled, and how; every point's own x by default. */
  readonly ticks?: readonly (readonly [x: number, label: string])[];
  /** A level to compare with, such as a limit. */
  readonly level?: { readonly y: number; readonly name: string };
}

const WIDTH = 720;
const HEIGHT = 280;
const MARGIN = { left: 64, right: 16, top: 34, bottom: 44 };
const COLOURS = ["#1f6feb", "#d1570a", "#1a7f37", "#8250df"];
const Y_STEPS = 4;

/** Empty where no series has a point. */
export function linePlot({ title, x, y, series, ticks, level }: LinePlot): string {
  const drawn = series.filter(({ points }) => points.length > 0);
  const all = drawn.flatMap(({ points }) => points);
  if (all.length === 0) return "";
  const [least, most] = [Math.min(...all.map(([x]) => x)), Math.max(...all.map(([x]) => x))];
  const top = niceCeiling(Math.max(level?.y ?? 0, ...all.map(([, y]) => y)));
  const right = WIDTH - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const toX = (x: number) => MARGIN.left + ((x - least) / (most - least || 1)) * (right - MARGIN.left);
  const toY = (y: number) => bottom - (y / top) * (bottom - MARGIN.top);
  const grid = Array.from({ length: Y_STEPS + 1 }, (_, i) => (top / Y_STEPS) * i).map(
    (
      value,
    ) => `<line class="grid" x1="${MARGIN.left}" x2="${right}" y1="${px(toY(value))}" y2="${px(toY(value))}"/>
<text class="end" x="${MARGIN.left - 6}" y="${px(toY(value) + 4)}">${figure(value)}</text>`,
  );
  const labels = (ticks ?? spaced(least, most)).map(
    ([at, label]) =>
      `<text class="middle" x="${px(toX(at))}" y="${bottom + 16}">${Bun.escapeHTML(label)}</text>`,
  );
  const lines = drawn.map(({ points }, i) => {
    const path = points.map(([x, y]) => `${px(toX(x))},${px(toY(y))}`).join(" ");
    const colour = COLOURS[i % COLOURS.length];
    return points.length === 1
      ? `<circle cx="${px(toX(points[0]![0]))}" cy="${px(toY(points[0]![1]))}" r="3" fill="${colour}"/>`
      : `<polyline points="${path}" stroke="${colour}"/>`;
  });
  const legend = drawn.map(
    ({ name }, i) =>
      `<text x="${MARGIN.left + i * 130}" y="${MARGIN.top - 8}" fill="${COLOURS[i % COLOURS.length]}">${Bun.escapeHTML(name)}</text>`,
  );
  const limit = level
    ? `<line class="level" x1="${MARGIN.left}" x2="${right}" y1="${px(toY(level.y))}" y2="${px(toY(level.y))}"/>
<text class="end" x="${right}" y="${px(toY(level.y) - 4)}">${Bun.escapeHTML(level.name)}</text>`
    : "";
  return `<figure><figcaption>${Bun.escapeHTML(title)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${Bun.escapeHTML(title)}">
${[...grid, ...labels, limit, ...lines, ...legend].join("\n")}
<text class="middle" x="${WIDTH / 2}" y="${HEIGHT - 8}">${Bun.escapeHTML(x)}</text>
<text class="middle" transform="translate(14 ${HEIGHT / 2}) rotate(-90)">${Bun.escapeHTML(y)}</text>
</svg></figure>`;
}

/** Seven labels, evenly over the axis. */
function spaced(least: number, most: number): [number, string][] {
  if (least === most) return [[least, figure(least)]];
  return Array.from({ length: 7 }, (_, i) => least + ((most - least) / 6) * i).map((at) => [at, figure(at)]);
}

/** The next 1, 2, 5 times a power of ten. */
function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * ([1, 2, 5, 10].find((times) => value <= times * unit) ?? 10);
}

function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function px(value: number): string {
  return value.toFixed(1);
}
